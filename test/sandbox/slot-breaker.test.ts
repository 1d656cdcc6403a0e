import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlotChange } from '../../sandbox/index.js';
import { RING } from '../../sandbox/ring/ring-words.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import { type Outcome, SlotRig } from '../support/chain/slot-rig.js';

const POISON = 0xee;
/** Does not try again while a test lasts, unless it says so. */
const BREAKER = {
  faults: 5,
  rate: 0.5,
  slow: 0.5,
  least: 20,
  windowMs: 10_000,
  pauseMs: 60_000,
  longestPauseMs: 60_000,
};
const QUICK = { ...BREAKER, pauseMs: 5, longestPauseMs: 20 };

const good = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from([1, i]));
const bad = (count: number): Buffer[] => Array.from({ length: count }, (_, i) => Buffer.from([POISON, i]));

/** Too large to be kept for a candidate to be tried on. */
const largeBad = (count: number): Buffer[] =>
  Array.from({ length: count }, () => Buffer.alloc(70_000, POISON));

function codes(outcomes: readonly Outcome[]): (string | undefined)[] {
  return outcomes.map(({ code }) => code);
}

function inOrder(outcomes: readonly Outcome[]): void {
  assert.deepEqual(
    outcomes.map(({ sequence }) => sequence),
    outcomes.map((_, index) => index + 1),
  );
}

function times(count: number, code: string | undefined): (string | undefined)[] {
  return Array.from({ length: count }, () => code);
}

function kinds(rig: SlotRig): SlotChange['kind'][] {
  return rig.changes.map(({ kind }) => kind).filter(kind => kind !== 'slow');
}

/** A batch of its own for all of them; where each of its deliveries ended. */
async function endsOf(rig: SlotRig, frames: readonly Buffer[]): Promise<number[]> {
  const ends: number[] = [];
  rig.onDelivery = delivery => ends.push(delivery.end);
  await rig.run(frames);
  return ends;
}

test('a thread goes on behind frames that failed as long as the breaker bears them, and asks behind the one that may be too much', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], { breaker: { ...BREAKER, faults: 3 } });
  const mixed = [...bad(1), ...good(2), ...bad(1), ...good(2), ...bad(1), ...good(3)];
  assert.deepEqual(await endsOf(rig, mixed), [7, 10]);
  assert.deepEqual(
    codes(rig.outcomes),
    mixed.map(([first]) => (first === POISON ? 'SLUICE_GUEST_TRAP' : undefined)),
  );
  inOrder(rig.outcomes);
  assert.deepEqual(kinds(rig), ['serving']);
});

function opening(rig: SlotRig): Extract<SlotChange, { kind: 'opened' }> {
  const found = rig.changes.find(change => change.kind === 'opened');
  assert.ok(found !== undefined);
  return found;
}

test('with the fifth fault in a row no guest is called any more; frames wait, and a new file gets them all', async () => {
  await using rig = new SlotRig();
  await rig.serve(['trap'], { breaker: BREAKER });
  await rig.push([...bad(8), ...good(4)]);
  await rig.until(() => rig.slot.state === 'open' && rig.outcomes.length === 5);
  const { control } = rig.slot.ring;
  const calls = Atomics.load(control, RING.calls);
  await rig.push(good(10));
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(codes(rig.outcomes), times(5, 'SLUICE_GUEST_TRAP'));
  assert.equal(Atomics.load(control, RING.calls), calls);
  const { cause, frames, generation } = opening(rig);
  assert.deepEqual([cause.trip.kind, cause.plugin, frames, generation.number], ['row', 'trap', 'spool', 1]);
  assert.equal(cause.fault.code, 'SLUICE_GUEST_TRAP');
  await rig.serve(['echo'], { breaker: BREAKER });
  const outcomes = await rig.settle();
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes.slice(5)), times(17, undefined));
});

test('a guest that hangs is killed for five frames, and then costs nothing more', async () => {
  await using rig = new SlotRig();
  await rig.serve(['spin'], { breaker: BREAKER, deadlineMs: 40, startDeadlineMs: 500 });
  await rig.push([...bad(8), ...good(2)]);
  await rig.until(() => rig.slot.state === 'open' && rig.outcomes.length === 5);
  assert.deepEqual(codes(rig.outcomes), times(5, 'SLUICE_GUEST_DEADLINE'));
  // The batch once, and each of the first four frames: a fresh thread each time but the last.
  assert.equal(rig.restarts.length, 5);
  assert.equal(rig.pool.busy, 0);
});

test('with `refuse` all that comes while it is open is refused with SLUICE_BREAKER_OPEN, in order', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'refuse';
  await rig.serve(['trap'], { breaker: BREAKER });
  await rig.push([...bad(8), ...good(4)]);
  await rig.settle();
  const outcomes = await rig.run(good(3000));
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes), [
    ...times(5, 'SLUICE_GUEST_TRAP'),
    ...times(3007, 'SLUICE_BREAKER_OPEN'),
  ]);
  assert.match(outcomes[6]?.text ?? '', /breaker of trap is open/);
});

test('with `fallback` the generation before serves on, and the frames of the opening but five go through it', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['echo'], { breaker: BREAKER });
  await rig.run(good(3));
  await rig.serve(['trap'], { breaker: BREAKER });
  const outcomes = await rig.run([...bad(8), ...good(4)]);
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes), [
    ...times(3, undefined),
    ...times(5, 'SLUICE_GUEST_TRAP'),
    ...times(7, undefined),
  ]);
  assert.equal(rig.slot.generation, 1);
  assert.equal(rig.slot.current?.number, 2);
  assert.deepEqual(kinds(rig), ['serving', 'serving', 'opened', 'serving']);
  assert.equal(opening(rig).frames, 'fallback');
});

test('without a generation before, or with the same one, `fallback` lets the frames wait', async () => {
  await using rig = new SlotRig();
  rig.whenOpen = 'fallback';
  for (let i = 0; i < 2; i++) await rig.serve(['trap'], { breaker: BREAKER });
  await rig.push(bad(6));
  await rig.until(() => rig.slot.state === 'open' && rig.outcomes.length === 5);
  assert.equal(opening(rig).frames, 'spool');
});

test('a fallback that fails as well is dropped, and the frames wait', async () => {
  await using rig = new SlotRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['bad-pointer'], { breaker: BREAKER });
  await rig.serve(['trap'], { breaker: BREAKER });
  await rig.push(bad(12));
  await rig.until(() => rig.slot.state === 'open' && rig.outcomes.length === 10);
  assert.deepEqual(codes(rig.outcomes), [
    ...times(5, 'SLUICE_GUEST_TRAP'),
    ...times(5, 'SLUICE_GUEST_RESULT'),
  ]);
  assert.deepEqual(
    rig.changes.flatMap(change => (change.kind === 'opened' ? [change.frames] : [])),
    ['fallback', 'spool'],
  );
});

test('it is tried again with one frame at a time, and closes with the fifth good one', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], { breaker: QUICK });
  const batches: number[] = [];
  rig.onDelivery = delivery => batches.push(delivery.end - delivery.begin);
  const outcomes = await rig.run([...bad(5), ...good(30)]);
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes), [...times(5, 'SLUICE_GUEST_TRAP'), ...times(30, undefined)]);
  assert.deepEqual(kinds(rig), ['serving', 'opened', 'half-open', 'serving', 'closed']);
  assert.deepEqual(batches.slice(0, 6), [5, 1, 1, 1, 1, 1]);
  assert.ok(batches.length < 20, `${batches.length} batches`);
});

test('a try that fails costs one frame and doubles the pause', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], { breaker: QUICK });
  const outcomes = await rig.run([...bad(7), ...good(8)]);
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes), [...times(7, 'SLUICE_GUEST_TRAP'), ...times(8, undefined)]);
  const openings = rig.changes.flatMap(change => (change.kind === 'opened' ? [change] : []));
  assert.deepEqual(
    openings.map(({ again }) => again),
    [false, true, true],
  );
  assert.ok((openings[2]?.retryMs ?? 0) > 15, `${openings[2]?.retryMs}`);
});

test('on trial beside a fallback no frame is lost: those that fail go through the fallback', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['echo'], { breaker: BREAKER });
  await rig.serve(['trap'], { breaker: QUICK });
  await rig.run(largeBad(5));
  let sent = 5;
  while (kinds(rig).filter(kind => kind === 'half-open').length < 2) {
    await rig.run([...good(3), ...largeBad(1)]);
    sent += 4;
  }
  const outcomes = await rig.settle();
  assert.equal(outcomes.length, sent);
  inOrder(outcomes);
  assert.deepEqual(codes(outcomes), [...times(5, 'SLUICE_GUEST_TRAP'), ...times(sent - 5, undefined)]);
});

test('on trial beside a fallback it closes and serves again when nothing fails', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['echo'], { breaker: BREAKER });
  await rig.serve(['trap'], { breaker: QUICK });
  await rig.run(largeBad(5));
  while (!kinds(rig).includes('closed')) await rig.run(good(3));
  assert.equal(rig.slot.generation, 2);
  // An ordinary fault by now: it costs its frame and no more.
  const outcomes = await rig.run([...good(3), ...bad(1), ...good(3)]);
  assert.deepEqual(codes(outcomes.slice(-7)), [
    ...times(3, undefined),
    'SLUICE_GUEST_TRAP',
    ...times(3, undefined),
  ]);
});

test('beside a fallback what it failed on is tried aside first, and as long as that fails no frame meets it', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['echo'], { breaker: BREAKER });
  await rig.serve(['trap'], { breaker: { ...QUICK, longestPauseMs: 5000 } });
  await rig.run(bad(5));
  const count = (kind: SlotChange['kind']): number => kinds(rig).filter(each => each === kind).length;
  await rig.until(() => count('opened') >= 3 && count('serving') === 3);
  assert.equal(count('half-open'), 0);
  const [, again] = rig.changes.flatMap(change => (change.kind === 'opened' ? [change] : []));
  assert.match(again?.cause.fault.message ?? '', /tried on frame 1 of the last 5/);
  const outcomes = await rig.run(good(3));
  assert.deepEqual(codes(outcomes.slice(5)), times(3, undefined));
});

test("a plugin's own answer that it cannot convert a frame does not open it", async () => {
  await using rig = sharedRig();
  await rig.serve(['json'], { breaker: { ...BREAKER, faults: 2, least: 2 } });
  const outcomes = await rig.run(good(20));
  assert.match(outcomes[0]?.code ?? '', /^SLUICE_CONVERT_/);
  assert.equal(rig.slot.state, 'serving');
  assert.deepEqual(kinds(rig), ['serving']);
});

test('half of the frames failing opens it although never five in a row do', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], { breaker: BREAKER });
  const mixed = Array.from({ length: 40 }, (_, i) => Buffer.from([i % 2 === 0 ? POISON : 1, i]));
  await rig.push(mixed);
  await rig.until(() => rig.slot.state === 'open');
  assert.deepEqual(opening(rig).cause.trip, { kind: 'rate', faults: 11, frames: 21 });
});

test('batches that take long get smaller, and it opens when they take most of the time that they may take', async () => {
  await using rig = sharedRig();
  const config = '{"ms":60}';
  await rig.serve(['slow'], { deadlineMs: 5000, config });
  let took = Number.POSITIVE_INFINITY;
  rig.onDelivery = delivery => {
    took = Math.min(took, delivery.micros / 1000);
  };
  const open = (): boolean => rig.slot.state === 'open';
  for (let i = 0; i < 3; i++) await rig.run(bad(1));
  // Before that the batches get smaller: what is expected to take a quarter of the deadline at most.
  assert.ok(rig.slot.ring.batchLimit <= 1250 / took, `${rig.slot.ring.batchLimit} of ${took} ms`);
  // Over 75 % of the deadline, and under it; where the machine stumbles it is killed, which is slow as well. Where it
  // had stumbled before, the deadline is too wide: what has been quicker since then sets the next.
  for (let round = 0; round < 5 && !open(); round++) {
    await rig.serve(['slow'], {
      deadlineMs: Math.ceil(took * 1.2),
      config,
      breaker: { ...BREAKER, faults: 1000, rate: 1.1, least: 4 },
    });
    const before = rig.outcomes.length;
    for (let i = 1; i <= 6 && !open(); i++) {
      await rig.push(bad(1));
      await rig.until(() => open() || rig.outcomes.length === before + i);
    }
  }
  assert.equal(opening(rig).cause.trip.kind, 'slow');
});

test('a chain that cannot be started again opens it; it is tried again', async () => {
  await using rig = new SlotRig();
  await rig.serve(['spin'], { breaker: QUICK, deadlineMs: 40, startDeadlineMs: 400 });
  const { pool } = rig;
  const take = pool.take.bind(pool);
  let failing = 2;
  pool.take = () => {
    const sandbox = take();
    if (failing-- > 0) sandbox.kill('SLUICE_GUEST_HEAP', 'by the test');
    return sandbox;
  };
  const outcomes = await rig.run([...bad(1), ...good(3)]);
  assert.deepEqual(codes(outcomes), ['SLUICE_GUEST_DEADLINE', ...times(3, undefined)]);
  const openings = rig.changes.flatMap(change => (change.kind === 'opened' ? [change] : []));
  assert.deepEqual(
    openings.slice(0, 2).map(({ again, cause }) => [again, cause.trip.kind]),
    [
      [false, 'start'],
      [true, 'start'],
    ],
  );
});

test('stopping an open slot takes no time, and serving it again begins closed', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap'], { breaker: BREAKER });
  await rig.push([...bad(6)]);
  await rig.until(() => rig.slot.state === 'open');
  await rig.slot.stop(AbortSignal.timeout(2000));
  assert.equal(rig.slot.state, 'stopped');
  await rig.serve(['echo'], { breaker: BREAKER });
  const outcomes = await rig.settle();
  assert.equal(outcomes[5]?.code, undefined);
});

test('a guest that hangs at every frame is called no more after few deadlines, whatever its start deadline is', async () => {
  await using rig = sharedRig();
  await rig.serve(['spin'], { breaker: BREAKER, deadlineMs: 20, startDeadlineMs: 20_000 });
  await rig.run(good(1));
  const began = performance.now();
  await rig.push(bad(8));
  await rig.until(() => rig.slot.state === 'open');
  // One batch, and five frames that are run by themselves, each by a fresh thread.
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
});

test('one that never answered has its start deadline once; each kill halves what the next first call may take', async () => {
  await using rig = sharedRig();
  await rig.serve(['spin'], { breaker: BREAKER, deadlineMs: 20, startDeadlineMs: 800 });
  await rig.push(bad(8));
  await rig.until(() => rig.slot.state === 'open');
  const limits = rig.restarts.map(({ message }) => Number(/longer than (\d+) ms/.exec(message)?.[1]));
  assert.deepEqual(limits, [800, 420, 220, 120, 120]);
});
