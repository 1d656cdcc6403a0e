import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeptState, StageSpec } from '../../sandbox/index.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import { chainOf, guestStage, type RigOptions, type SlotRig } from '../support/chain/slot-rig.js';

const OPTIONS: RigOptions = { deadlineMs: 40, startDeadlineMs: 250, snapshotEvery: 1 };
const good = (count: number): Buffer[] => Array.from({ length: count }, () => Buffer.from([1]));
const TRAP = Buffer.from([0xee]);
const SPIN = Buffer.from([0xdd]);

/** Builds of one plugin: only what is in them differs. */
async function builds(names: readonly string[], options = OPTIONS): Promise<StageSpec[]> {
  return Promise.all(names.map(async name => ({ ...(await guestStage(name, options)), plugin: 'tally' })));
}

async function serve(rig: SlotRig, build: string, options = OPTIONS): Promise<void> {
  await rig.slot.swap(chainOf(await builds([build], options), options));
}

/** What the frames became: numbers, or the code of a refusal. */
function said(rig: SlotRig): (number | string)[] {
  return rig.outcomes.map(({ code, messages }) => code ?? Number(messages[0]?.payload.toString()));
}

/** What fresh instances went on from: generation and batches behind. */
function restored(rig: SlotRig): (readonly [generation: number, behind: number] | string)[] {
  return rig.restored.map(({ from, refused }) =>
    from === undefined ? (refused?.code ?? 'nothing') : [from.generation, from.behind],
  );
}

test('a swap hands the state over: the new generation counts on, and nothing is flushed for it', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally', { ...OPTIONS, snapshotEvery: 0 });
  await rig.run(good(5));
  await serve(rig, 'tally-2', { ...OPTIONS, snapshotEvery: 0 });
  await rig.run(good(3));
  assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(restored(rig), [[1, 0]]);
  assert.deepEqual(
    rig.flushes.flatMap(({ messages }) => messages),
    [],
  );
});

test('a generation that does not read the form begins without a state, and that is told with its reason', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally-2');
  await rig.run(good(5));
  await serve(rig, 'tally');
  await rig.run(good(2));
  assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 1, 2]);
  assert.equal(rig.restored[0]?.from, undefined);
  assert.match(
    rig.restored[0]?.refused?.message ?? '',
    /I do not read this form .* \(its form is version 2, 8 bytes\)/,
  );
});

test('after a trap the state is that of the last snapshot: with one for each batch nothing is forgotten', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally');
  await rig.run(good(3));
  await rig.run([...good(2), TRAP, ...good(2)]);
  await rig.run(good(1));
  assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 'SLUICE_GUEST_TRAP', 6, 7, 8]);
});

test('after a kill the next thread goes on from the last snapshot', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally');
  await rig.run(good(3));
  await rig.run([...good(2), SPIN, ...good(2)]);
  assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 'SLUICE_GUEST_DEADLINE', 6, 7]);
});

test('snapshots are taken every so many batches, and what is told says how old the state is', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally', { ...OPTIONS, snapshotEvery: 3 });
  for (let batch = 0; batch < 5; batch++) await rig.run(good(1));
  await rig.run([SPIN]);
  await rig.run(good(1));
  assert.deepEqual(said(rig).slice(-2), ['SLUICE_GUEST_DEADLINE', 4]);
  assert.deepEqual(restored(rig).at(-1), [1, 3]);
});

test('without snapshots a fresh instance begins without a state, and that is told', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally', { ...OPTIONS, snapshotEvery: 0 });
  await rig.run(good(3));
  await rig.run([TRAP]);
  await rig.run(good(1));
  assert.deepEqual(said(rig), [1, 2, 3, 'SLUICE_GUEST_TRAP', 1]);
  assert.ok(restored(rig).includes('nothing'));
});

test('a generation that was just swapped in is taken back to the state that it was handed', async () => {
  await using rig = sharedRig();
  await serve(rig, 'tally', { ...OPTIONS, snapshotEvery: 100 });
  await rig.run(good(5));
  await serve(rig, 'tally-2', { ...OPTIONS, snapshotEvery: 100 });
  await rig.run([SPIN]);
  await rig.run(good(1));
  assert.deepEqual(said(rig).slice(-2), ['SLUICE_GUEST_DEADLINE', 6]);
});

test('a generation that is taken back on probation leaves the one before with its own state', async () => {
  await using rig = sharedRig();
  // With time enough: a batch that a busy machine made slow would have the next frames go one by one.
  const calm = { ...OPTIONS, deadlineMs: 10_000 };
  await serve(rig, 'tally', calm);
  await rig.run(good(5));
  await serve(rig, 'tally-2', { ...calm, probation: { frames: 50, ms: 0 } });
  await rig.run(good(2));
  await rig.run([...good(1), TRAP, ...good(1)]);
  assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 6, 7, 6, 'SLUICE_GUEST_TRAP', 7]);
  assert.equal(rig.slot.generation, 1);
});

for (const build of ['tally-import-traps', 'tally-import-spins']) {
  test(`"${build}" begins without a state, and serves`, async () => {
    await using rig = sharedRig();
    await serve(rig, 'tally');
    await rig.run(good(5));
    await serve(rig, build);
    await rig.run(good(2));
    assert.deepEqual(said(rig), [1, 2, 3, 4, 5, 1, 2]);
    assert.ok(restored(rig).includes('SLUICE_STATE_REFUSED'));
  });
}

for (const build of ['tally-export-traps', 'tally-export-spins', 'tally-export-outside']) {
  test(`"${build}" serves on without snapshots, no frame is lost, and it can still be replaced`, async () => {
    await using rig = sharedRig();
    await serve(rig, build);
    for (let batch = 0; batch < 3; batch++) await rig.run(good(1));
    await serve(rig, 'tally');
    await rig.run(good(1));
    assert.deepEqual(
      rig.outcomes.map(({ sequence, code }) => [sequence, code]),
      [1, 2, 3, 4].map(sequence => [sequence, undefined]),
    );
    assert.equal(rig.unsaved.length, 1);
  });
}

test('in a chain each stage takes the state of the stage of its plugin, wherever that stands', async () => {
  await using rig = sharedRig();
  const [tally] = (await builds(['tally'])) as [StageSpec];
  const echo = await guestStage('echo', OPTIONS);
  await rig.slot.swap(chainOf([echo, tally], OPTIONS));
  await rig.run(good(5));
  await rig.slot.swap(chainOf([tally, echo], OPTIONS));
  await rig.run(good(1));
  assert.deepEqual(said(rig).at(-1), 6);
});

test('a first chain goes on from what it is told to remember; what it refuses means an empty beginning, and later ones are not given it', async () => {
  await using rig = sharedRig();
  const kept: KeptState[] = [];
  rig.onSaved = states => kept.push(...states);
  await rig.serve(['tally'], { snapshotEvery: 1 });
  await rig.run([Buffer.from('a'), Buffer.from('b')]);
  await rig.until(() => kept.length > 0);
  const last = kept.at(-1) as KeptState;
  assert.equal(last.place, 'tally 1');

  await using again = sharedRig();
  again.slot.remember([last, { ...last, place: 'other 1' }]);
  await again.serve(['tally'], { snapshotEvery: 1 });
  const [outcome] = await again.run([Buffer.from('c')]);
  assert.equal(String(outcome?.messages[0]?.payload), '3');
  assert.deepEqual([again.restored.length, again.restored[0]?.from?.generation], [1, 0]);

  await using refused = sharedRig();
  refused.slot.remember([{ ...last, version: 99 }]);
  await refused.serve(['tally'], { snapshotEvery: 1 });
  const [first] = await refused.run([Buffer.from('c')]);
  assert.equal(String(first?.messages[0]?.payload), '1');
  assert.equal(refused.restored.at(-1)?.refused?.code, 'SLUICE_STATE_REFUSED');
});

test('a first chain that is killed before its first snapshot is taken back to what it was told to remember', async () => {
  const rare = { ...OPTIONS, snapshotEvery: 100 };
  await using rig = sharedRig();
  const before: KeptState[] = [];
  rig.onSaved = states => before.splice(0, before.length, ...states);
  await serve(rig, 'tally');
  await rig.run(good(3));
  await rig.until(() => before.length > 0);

  await using again = sharedRig();
  again.slot.remember(before);
  await serve(again, 'tally', rare);
  await again.run([SPIN]);
  await again.run(good(1));
  assert.deepEqual(said(again), ['SLUICE_GUEST_DEADLINE', 4]);
});

test('behind a generation that was taken back the state of the one before is saved again, in its form', async () => {
  await using rig = sharedRig();
  let saved: readonly KeptState[] = [];
  rig.onSaved = states => {
    saved = states;
  };
  const rare = { ...OPTIONS, snapshotEvery: 100 };
  await serve(rig, 'tally', rare);
  await rig.run(good(5));
  await serve(rig, 'tally-2', { ...OPTIONS, probation: { frames: 50, ms: 0 } });
  await rig.run(good(2));
  await rig.until(() => saved[0]?.version === 2);
  await rig.run([TRAP]);
  await rig.run(good(1));
  assert.equal(rig.slot.generation, 1);
  assert.deepEqual([said(rig).at(-1), saved[0]?.version], [6, 1]);
});

test('what is remembered of a plugin that the first chain does not hold is kept beside its own, and given to the chain that brings it', async () => {
  await using rig = sharedRig();
  const before: KeptState[] = [];
  rig.onSaved = states => before.splice(0, before.length, ...states);
  await serve(rig, 'tally');
  await rig.run(good(3));
  await rig.until(() => before.length > 0);

  await using again = sharedRig();
  const saved: (readonly KeptState[])[] = [];
  again.onSaved = states => saved.push(states);
  again.slot.remember(before.map(state => ({ ...state, place: 'other 1' })));
  await serve(again, 'tally');
  await again.run(good(1));
  await again.until(() => saved.length > 0);
  assert.deepEqual(
    saved.at(-1)?.map(({ place }) => place),
    ['tally 1', 'other 1'],
  );
  const [tally] = await builds(['tally']);
  await again.slot.swap(chainOf([{ ...(tally as StageSpec), plugin: 'other' }], OPTIONS));
  await again.run(good(1));
  assert.deepEqual(said(again), [1, 4]);
});
