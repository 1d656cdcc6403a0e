import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../runtime/index.js';
import { pace } from '../../sandbox/slot/pace.js';

/** The limit after a batch of `frames` took `micros`. */
function after(
  batchLimit: number,
  frames: number,
  micros: number,
  shortestMs: number,
  isFlush = false,
): number {
  const ring = { batchLimit };
  pace(ring, { begin: 3, end: 3 + frames, isFlush, micros }, shortestMs);
  return ring.batchLimit;
}

const limit = fc.integer({ min: 1, max: LIMITS.batch });
const micros = fc.integer({ min: 0, max: 10_000_000 });
const deadline = fc.integer({ min: 1, max: 60_000 });

test('the next batch is expected to take a quarter of the deadline at most, or is one frame', () => {
  fc.assert(
    fc.property(limit, limit, micros, deadline, (before, frames, took, shortest) => {
      const next = after(before, frames, took, shortest);
      assert.ok(next >= 1 && next <= LIMITS.batch && Number.isInteger(next), `${next}`);
      assert.ok(next === 1 || (next * took) / frames <= shortest * 250 + 1e-6);
    }),
  );
});

test('a limit goes down at once', () => {
  // 10 ms a frame, a quarter of 100 ms.
  assert.equal(after(1024, 1, 10_000, 100), 2);
  assert.equal(after(1024, 1, 1_000_000, 100), 1);
});

test('a limit goes up by doubling, no further than the time allows', () => {
  assert.equal(after(4, 4, 4, 100), 8);
  assert.equal(after(LIMITS.batch - 1, 100, 1, 100), LIMITS.batch);
  // 1 ms a frame: 25 of them.
  assert.equal(after(20, 20, 20_000, 100), 25);
});

test('a batch too quick to be measured counts as a microsecond', () => {
  assert.equal(after(1, 1, 0, 1), 2);
  // 250 us in all for 1 ms: 250 frames of one each, not all that there are.
  assert.equal(after(200, 1, 0, 1), 250);
});

test('a flush, a delivery without frames, and times that nobody took leave the limit as it is', () => {
  assert.equal(after(64, 10, 900_000, 100, true), 64);
  assert.equal(after(64, 0, 900_000, 100), 64);
  assert.equal(after(64, 10, -1, 100), 64);
});
