import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flight } from '../../../host/sources/modbus/flight.js';
import { Request } from '../../../host/sources/modbus/request.js';

/** Two requests on their way, sent at 0 and at 10, of which each may take 100. */
function flight() {
  let now = 0;
  const clock = { wall: () => now, steady: () => now };
  const one = new Flight(2, 100, clock, () => {});
  const [first, second] = [new Request(1, 'holding', 0, 1, 0), new Request(2, 'holding', 0, 1, 1)];
  one.launch(first);
  now = 10;
  one.launch(second);
  return { one, first, second };
}

test('a request expires when its time is over and not before, the oldest first', () => {
  const { one, first, second } = flight();
  assert.equal(one.room, 0);
  assert.equal(one.expired(99), undefined);
  assert.equal(one.expired(105), first);
  assert.equal(one.expired(105), undefined);
  assert.equal(one.expired(110), second);
  assert.equal(one.room, 2);
});

test('the answer to a request that timed out is known once, and not on the next connection', () => {
  const { one, first, second } = flight();
  assert.equal(one.wasLate(first.transaction), false);
  one.expired(200);
  one.expired(200);
  assert.equal(one.find(first.transaction), undefined);
  assert.equal(one.wasLate(first.transaction), true);
  assert.equal(one.wasLate(first.transaction), false);
  one.reset();
  assert.equal(one.wasLate(second.transaction), false);
});

test('silence means that nothing was answered since a request was sent', () => {
  const { one, first, second } = flight();
  one.expired(100);
  assert.equal(one.silentSince(first), true);
  one.land(second);
  assert.equal(one.silentSince(first), false);
});

test('transaction ids go round after 65535', () => {
  const { one, first, second } = flight();
  one.next();
  one.next();
  const seen = new Set<number>();
  for (let i = 0; i < 0x10000; i++) {
    one.launch(i % 2 === 0 ? first : second);
    seen.add((i % 2 === 0 ? first : second).transaction);
    one.next();
  }
  assert.equal(seen.size, 0x10000);
  assert.ok([...seen].every(id => id >= 0 && id <= 0xffff));
});
