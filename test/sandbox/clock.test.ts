import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { since, stamp } from '../../sandbox/ring/clock.js';

test('a stamp of another thread says how long ago it was, and never more', async () => {
  const began = performance.now();
  const stamped = stamp();
  await sleep(5);
  const elapsed = since(stamped);
  assert.ok(elapsed <= performance.now() - began, `${elapsed} ms`);
  assert.ok(elapsed >= 4, `${elapsed} ms`);
});

test('a thread that lost its core while it looked at both clocks is not wrong by that for ever', async t => {
  const real = process.hrtime.bigint;
  let looks = 0;
  t.mock.method(process.hrtime, 'bigint', () => {
    const shared = real();
    const until = performance.now() + 30;
    if (looks++ === 0) while (performance.now() < until);
    return shared;
  });
  // The same code again, as another thread has it.
  const late: typeof import('../../sandbox/ring/clock.js') = await import(
    new URL('../../sandbox/ring/clock.js?late', import.meta.url).href
  );
  assert.ok(looks > 0);
  // A busy machine may take a while between two lines: the shortest counts.
  const apart = Array.from({ length: 20 }, () => Math.abs(since(late.stamp())));
  const back = Array.from({ length: 20 }, () => Math.abs(late.since(stamp())));
  assert.ok(Math.min(...apart) < 1 && Math.min(...back) < 1, `${apart} ${back}`);
});
