import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../runtime/index.js';
import type { ChainFacts } from '../../sandbox/index.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import { chainOf, guestStage } from '../support/chain/slot-rig.js';

const bytes = (...values: number[]) => values.map(value => Buffer.from([value]));
const BREAKER = {
  faults: 5,
  rate: 0.5,
  slow: 0.5,
  least: 20,
  windowMs: 10_000,
  pauseMs: 60_000,
  longestPauseMs: 60_000,
};
const NO = new SluiceError('SLUICE_MODULE_OPCODE', 'forbidden by the test', { step: 'admit' });

test('a generation that is forbidden ends at once; its frames wait, and the next one runs each of them once', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes(1, 2, 3));
  const [generation] = rig.slot.generations;
  assert.ok(generation !== undefined);
  await rig.push(bytes(4, 5));
  await rig.slot.forbid(generation);
  assert.equal(rig.slot.state, 'stopped');
  await rig.push(bytes(6));
  await rig.serve(['echo']);
  const outcomes = await rig.settle();
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    [1, 2, 3, 4, 5, 6].map(sequence => [sequence, undefined]),
  );
  // Nobody falls back to it.
  assert.ok(!rig.slot.generations.includes(generation));
});

test('a guest that hangs is ended when it is forbidden, without its deadline, and its frame is not refused', async () => {
  await using rig = sharedRig();
  await rig.serve(['spin'], { deadlineMs: 30_000, startDeadlineMs: 30_000 });
  await rig.push(bytes(0xee));
  const [generation] = rig.slot.generations;
  const began = performance.now();
  await rig.slot.forbid(generation as NonNullable<typeof generation>);
  assert.ok(performance.now() - began < 10_000);
  await rig.serve(['echo']);
  const [outcome] = await rig.settle();
  assert.equal(outcome?.code, undefined);
});

test('a candidate that comes to be forbidden before it serves never does, and the one before goes on', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes(1));
  const seen: ChainFacts[] = [];
  const spec = {
    ...chainOf([await guestStage('stamp')]),
    // Allowed when its modules are known, forbidden when it is about to take over.
    forbids: (facts: ChainFacts) => (seen.push(facts) === 1 ? undefined : NO),
  };
  await assert.rejects(rig.slot.swap(spec), { code: 'SLUICE_MODULE_OPCODE' });
  assert.equal(seen.length, 2);
  assert.ok((seen[0]?.[0]?.[0]?.functions ?? 0) > 0);
  const outcomes = await rig.run(bytes(2));
  assert.deepEqual([outcomes.length, outcomes[1]?.code, rig.slot.generation], [2, undefined, 1]);
});

test('where one can fall back, the newest that is forbidden hands over to it, and each frame is run once', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes(1));
  await rig.serve(['stamp']);
  await rig.run(bytes(2));
  const { current } = rig.slot;
  await rig.push(bytes(3, 4));
  await rig.slot.forbid(current as NonNullable<typeof current>);
  const outcomes = await rig.run(bytes(5));
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    [1, 2, 3, 4, 5].map(sequence => [sequence, undefined]),
  );
  assert.deepEqual([rig.slot.state, rig.slot.generation, rig.slot.current?.number], ['serving', 1, 1]);
  assert.deepEqual(
    rig.slot.generations.map(({ number }) => number),
    [1],
  );
  assert.ok(rig.changes.some(({ kind }) => kind === 'forbidden'));
});

test('a fallback that is forbidden while it serves gives its frames back to the rule of the open breaker', async () => {
  await using rig = sharedRig();
  rig.whenOpen = 'fallback';
  await rig.serve(['echo'], { breaker: BREAKER });
  await rig.serve(['trap'], { breaker: BREAKER });
  await rig.run(bytes(0xee, 0xee, 0xee, 0xee, 0xee));
  await rig.until(() => rig.slot.state === 'serving' && rig.slot.generation === 1);
  const [, fallback] = rig.slot.generations;
  await rig.slot.forbid(fallback as NonNullable<typeof fallback>);
  assert.deepEqual([rig.slot.state, rig.slot.current?.number], ['open', 2]);
  await rig.push(bytes(1));
  await rig.serve(['stamp'], { breaker: BREAKER });
  assert.equal((await rig.settle()).at(-1)?.code, undefined);
});

test('a generation that is renewed goes on in a fresh thread under its new rules', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes(1));
  const { current } = rig.slot;
  assert.ok(current !== undefined);
  const stages = current.spec.stages.map(stage => ({ ...stage, deadlineMs: 77 }));
  current.regrant({ ...current.spec, stages });
  assert.deepEqual([current.shortest, current.allowedMs], [77, 77]);
  await rig.slot.renew(current);
  const outcomes = await rig.run(bytes(2));
  assert.deepEqual([outcomes.length, rig.slot.generation, rig.slot.state], [2, 1, 'serving']);
  assert.equal(rig.changes.filter(({ kind }) => kind === 'serving').length, 2);
});
