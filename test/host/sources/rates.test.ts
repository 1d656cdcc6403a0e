import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PeerRates } from '../../../host/sources/serve/peer-rates.js';
import { RateLimit } from '../../../host/sources/serve/rate-limit.js';

test('one address has its rate, all together have theirs, and what is refused says which and costs nothing', () => {
  const rates = new PeerRates({ rate: 2, totalRate: 3 }, 'requests');
  const take = (peer: string, now: number) => rates.take(peer, now);
  assert.deepEqual([take('a', 0), take('a', 0)], [undefined, undefined]);
  assert.match(take('a', 0) ?? '', /more than 2 requests a second \(`rate`\)/);
  assert.equal(take('b', 0), undefined, 'what was refused by its own rate is not counted for all');
  assert.match(take('b', 0) ?? '', /more than 3 requests a second of all addresses together \(`totalRate`\)/);
  // A third of a second later one more may come of all; what was refused by that was not counted for b.
  assert.equal(take('b', 334), undefined);
});

test('those that wait for one rate have their turns one after the other', () => {
  const limit = new RateLimit(10);
  for (let n = 0; n < 10; n++) assert.equal(limit.reserve(0), 0);
  assert.deepEqual([limit.reserve(0), limit.reserve(0), limit.reserve(50)], [100, 200, 250]);
  assert.equal(limit.take(250), false);
});

test('a turn that is given back is that of the next, and no more than a second\u2019s worth is ever left', () => {
  const limit = new RateLimit(10);
  for (let n = 0; n < 10; n++) limit.reserve(0);
  assert.deepEqual([limit.reserve(0), limit.reserve(0)], [100, 200]);
  limit.giveBack();
  assert.equal(limit.reserve(0), 200);
  for (let n = 0; n < 30; n++) limit.giveBack();
  for (let n = 0; n < 10; n++) assert.equal(limit.take(0), true);
  assert.equal(limit.take(0), false);
});

test('in no second more than a second\u2019s worth beyond the first one goes through', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(400), { maxLength: 200 }), (rate, gaps) => {
      const limit = new RateLimit(rate);
      let now = 0;
      let through = 0;
      for (const gap of gaps) {
        now += gap;
        if (limit.take(now)) through += 1;
      }
      assert.ok(through <= rate + Math.ceil((now / 1_000) * rate));
    }),
  );
});
