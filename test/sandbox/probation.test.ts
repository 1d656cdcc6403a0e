import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MODE, RING } from '../../sandbox/ring/ring-words.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import type { Outcome, RigOptions, SlotRig } from '../support/chain/slot-rig.js';

const POISON = 0xee;
const OPTIONS: RigOptions = {
  deadlineMs: 80,
  startDeadlineMs: 600,
  probation: { frames: 50, ms: 0 },
  breaker: {
    faults: 5,
    rate: 0.5,
    slow: 0.5,
    least: 20,
    windowMs: 10_000,
    pauseMs: 60_000,
    longestPauseMs: 60_000,
  },
};

const good = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from([1, i]));
const bad = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from([POISON, i]));

/** Every frame has its outcome, in order, and none was refused. */
function allThrough(outcomes: readonly Outcome[], sent: number): void {
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    Array.from({ length: sent }, (_, index) => [index + 1, undefined]),
  );
}

function taken(rig: SlotRig): { code: string; plugin: string; frames: number; back: number } | undefined {
  const change = rig.changes.find(({ kind }) => kind === 'rolled-back');
  if (change?.kind !== 'rolled-back') return undefined;
  const { fault, plugin, frames, back } = change;
  return { code: fault.code, plugin, frames, back: back.number };
}

for (const [guest, code] of [
  ['trap', 'SLUICE_GUEST_TRAP'],
  ['spin', 'SLUICE_GUEST_DEADLINE'],
  ['bad-pointer', 'SLUICE_GUEST_RESULT'],
  ['bad-count', 'SLUICE_GUEST_RESULT'],
] as const) {
  test(`"${guest}" that fails on probation is taken back, and its frames go through the one before`, async () => {
    await using rig = sharedRig();
    await rig.serve(['echo'], OPTIONS);
    await rig.run(good(3));
    await rig.serve([guest], OPTIONS);
    await rig.run(good(10));
    const outcomes = await rig.run([...good(4), ...bad(2), ...good(4)]);
    allThrough(outcomes, 23);
    assert.deepEqual(taken(rig), { code, plugin: guest, frames: 10, back: 1 });
    assert.equal(rig.slot.generation, 1);
    assert.equal(rig.slot.current?.number, 1);
  });
}

test('what failed on probation is tried on the very frames when it comes again, whatever stood before them', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo'], OPTIONS);
  await rig.run(good(3));
  await rig.serve(['trap'], OPTIONS);
  allThrough(await rig.run([...good(20), ...bad(1)]), 24);
  assert.equal(taken(rig)?.plugin, 'trap');
  await assert.rejects(rig.serve(['trap'], OPTIONS), { code: 'SLUICE_GUEST_TRAP', step: 'shadow' });
});

test('behind its probation a fault costs its frame and no more', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo'], OPTIONS);
  await rig.run(good(3));
  await rig.serve(['trap'], OPTIONS);
  await rig.run(good(50));
  const outcomes = await rig.run(bad(1));
  assert.equal(outcomes.at(-1)?.code, 'SLUICE_GUEST_TRAP');
  assert.equal(rig.slot.generation, 2);
  assert.equal(taken(rig), undefined);
});

test('probation lasts for its time too, however many frames there were', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo'], OPTIONS);
  await rig.run(good(3));
  await rig.serve(['trap'], { ...OPTIONS, probation: { frames: 0, ms: 60_000 } });
  await rig.run(good(200));
  await rig.run(bad(1));
  assert.equal(taken(rig)?.frames, 200);
});

test('without one before, and with a probation of nothing, there is none to go back to', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], OPTIONS);
  await rig.run(bad(1));
  await rig.serve(['bad-pointer'], { ...OPTIONS, probation: { frames: 0, ms: 0 } });
  const outcomes = await rig.run(bad(1));
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ['SLUICE_GUEST_TRAP', 'SLUICE_GUEST_RESULT'],
  );
  assert.equal(taken(rig), undefined);
});

test('a frame that the one before fails on as well is refused, once', async () => {
  await using rig = sharedRig();
  await rig.serve(['bad-pointer'], OPTIONS);
  await rig.run(good(3));
  await rig.serve(['trap'], OPTIONS);
  const outcomes = await rig.run([...good(2), ...bad(1), ...good(2)]);
  assert.deepEqual(
    outcomes.slice(3).map(({ code }) => code),
    [undefined, undefined, 'SLUICE_GUEST_RESULT', undefined, undefined],
  );
  assert.equal(rig.slot.generation, 1);
});

test('one that fails while it drains for the next is not what that one falls back to', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo'], OPTIONS);
  await rig.run(good(3));
  await rig.serve(['spin'], OPTIONS);
  await rig.push(bad(1));
  // Drains behind the frame that hangs.
  await rig.serve(['trap'], OPTIONS);
  await rig.push(bad(3));
  const outcomes = await rig.settle();
  allThrough(outcomes, 7);
  assert.equal(rig.slot.generation, 1);
  assert.deepEqual(
    rig.changes.flatMap(change => (change.kind === 'rolled-back' ? [change.back.number] : [])),
    [1, 1],
  );
});

test('a session that gives its slab up when the probation has just ended goes on with it', async () => {
  await using rig = sharedRig();
  const { probation: _, ...options } = OPTIONS;
  await rig.serve(['trap'], options);
  Atomics.store(rig.slot.ring.control, RING.mode, MODE.strict);
  const outcomes = await rig.run([...good(2), ...bad(1), ...good(2)]);
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    [undefined, undefined, 'SLUICE_GUEST_TRAP', undefined, undefined],
  );
});
