import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rest } from '../../../host/sources/mqtt/rest.js';

/** Reads at these times, ms, each of so many messages: what it says to each. */
function rests(reads: readonly (readonly [at: number, messages: number])[]): number[] {
  const rest = new Rest();
  rest.next(0);
  return reads.map(([at, messages]) => {
    for (let i = 0; i < messages; i++) rest.took();
    return rest.next(at);
  });
}

test('messages that come one a millisecond are never left to wait', () => {
  const each = Array.from({ length: 100 }, (_, i) => [1000 + i, 1] as const);
  assert.ok(rests(each).every(ms => ms === 0));
});

test('a burst that is over within milliseconds makes nothing wait', () => {
  assert.deepEqual(
    rests([
      [1000, 10],
      [1000, 20],
      [1001, 3],
      [1005, 1],
    ]),
    [0, 0, 0, 0],
  );
});

test('while messages come fast the rest grows to 6 ms, and a read that finds few ends it', () => {
  const fast = [1002, 1004, 1006, 1008, 1009, 1011, 1015, 1021].map(at => [at, 40] as const);
  assert.deepEqual(rests([[1000, 1], ...fast, [1027, 11], [1028, 10]]), [0, 0, 0, 0, 1, 2, 4, 6, 6, 0, 0]);
});

test('where messages come in fits a rest goes on, and is not made longer', () => {
  assert.deepEqual(
    rests([
      [1000, 0],
      [1008, 80],
      [1009, 3],
      [1011, 20],
      [1021, 25],
    ]),
    [0, 1, 1, 2, 2],
  );
});

test('what is read at once behind a rest does not end it', () => {
  assert.deepEqual(
    rests([
      [1000, 0],
      [1008, 80],
      [1009, 20],
      [1009, 1],
      [1011, 30],
    ]),
    [0, 1, 2, 2, 4],
  );
});

test('a clock that is set back keeps no read waiting', () => {
  const fast = Array.from({ length: 10 }, (_, i) => [10_000 + 10 * i, 200] as const);
  assert.deepEqual(rests([...fast, [5000, 1], [5010, 1]]).slice(-3), [6, 0, 0]);
});
