import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker } from '../../sandbox/generation/breaker.js';

const LIMITS = {
  faults: 5,
  rate: 0.5,
  slow: 0.5,
  least: 20,
  windowMs: 10_000,
  pauseMs: 1000,
  longestPauseMs: 30_000,
};
const FAULT = { code: 'SLUICE_GUEST_TRAP', message: 'unreachable' } as const;

/** A breaker that has just opened at this time. */
function opened(now = 0, random = 0): Breaker {
  const breaker = new Breaker(LIMITS, () => random);
  fail(breaker, now);
  return breaker;
}

function fail(breaker: Breaker, now: number): void {
  for (let i = 0; i < 5; i++) breaker.fault(now, 'p', FAULT);
}

function kindOf(breaker: Breaker): string {
  return breaker.state.kind;
}

function retryIn(breaker: Breaker, now: number): number | undefined {
  const { state } = breaker;
  assert.equal(state.kind, 'open');
  return state.retryAt === undefined ? undefined : state.retryAt - now;
}

test('it opens with five faults in a row and says which plugin, which rule and what the last fault was', () => {
  const { state } = opened(100);
  assert.deepEqual(state, {
    kind: 'open',
    since: 100,
    retryAt: 1100,
    cause: { trip: { kind: 'row', faults: 5 }, plugin: 'p', fault: FAULT },
  });
});

test('after a try it closes with the fifth good frame, and is as new', () => {
  const breaker = opened();
  breaker.tryAgain(1000);
  breaker.good(1001, 4);
  assert.equal(kindOf(breaker), 'half-open');
  breaker.good(1002, 1);
  assert.equal(kindOf(breaker), 'closed');
  for (let i = 0; i < 4; i++) breaker.fault(1003, 'p', FAULT);
  assert.equal(kindOf(breaker), 'closed');
});

test('one fault ends a try; the pauses double from 1 s to 30 s, and failed tries are no openings', () => {
  const breaker = opened();
  const pauses = [retryIn(breaker, 0)];
  for (let i = 0; i < 6; i++) {
    breaker.tryAgain(0);
    breaker.fault(0, 'p', FAULT);
    pauses.push(retryIn(breaker, 0));
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(breaker.openings(0), 1);
});

test('up to a quarter is added to a pause at random', () => {
  assert.equal(retryIn(opened(0, 1), 0), 1250);
  assert.equal(retryIn(opened(0, 0.5), 0), 1125);
});

test('an instance that cannot be started opens it, and keeps it open', () => {
  const breaker = new Breaker(LIMITS, () => 0);
  breaker.startFailed(0, 'p', FAULT);
  assert.equal(retryIn(breaker, 0), 1000);
  breaker.startFailed(0, 'p', FAULT);
  assert.equal(retryIn(breaker, 0), 2000);
});

test('with the fifth opening in ten minutes it stays open; openings of before do not count', () => {
  const breaker = new Breaker(LIMITS, () => 0);
  const times = [0, 200_000, 300_000, 400_000, 601_000];
  for (const now of times) {
    fail(breaker, now);
    assert.notEqual(retryIn(breaker, now), undefined, `${now}`);
    breaker.tryAgain(now);
    breaker.good(now, 5);
  }
  fail(breaker, 700_000);
  assert.equal(retryIn(breaker, 700_000), undefined);
  assert.equal(breaker.openings(700_000), 5);
});

test('it opens on batches that are too slow, with the fault that says so', () => {
  const breaker = new Breaker(LIMITS, () => 0);
  const slow = { code: 'SLUICE_GUEST_SLOW', message: '90 ms' } as const;
  for (let batch = 0; batch < 20; batch++) {
    assert.equal(kindOf(breaker), 'closed');
    breaker.good(batch, 1);
    breaker.batch(batch, true, 'p', () => slow);
  }
  const { state } = breaker;
  assert.equal(state.kind, 'open');
  assert.deepEqual(state.cause, { trip: { kind: 'slow', slow: 20, batches: 20 }, plugin: 'p', fault: slow });
});
