import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../runtime/index.js';
import type { ChainFacts } from '../../sandbox/index.js';
import { chainOf, guestStage, SlotRig } from '../support/slot-rig.js';

const bytes = (...values: number[]) => values.map(value => Buffer.from([value]));
const NO = new SluiceError('SLUICE_MODULE_OPCODE', 'forbidden by the test', { step: 'admit' });

test('a generation that is forbidden ends at once; its frames wait, and the next one runs each of them once', async () => {
  await using rig = new SlotRig();
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
  await using rig = new SlotRig();
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
  await using rig = new SlotRig();
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
