import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../runtime/index.js';
import { chainOf, guestStage, SlotRig } from '../support/chain/slot-rig.js';
import { HOSTILE_SHAPES } from '../support/modules/hostile-shapes.js';

/** Those that would be most dear if they came further than they do: to the compiler, or to their first call. */
const DEAR = [
  'a table of 10 million entries',
  '65,536 pages of memory',
  'a million functions',
  'a body of 7 MB',
  'a million nested blocks',
  'a jump table of a million labels',
  'a custom section that declares 512 MiB',
  'a data segment out of bounds',
];

test('hostile modules are refused in their own threads, and the plugin beside them does not notice', async () => {
  await using neighbour = new SlotRig();
  await using hostile = new SlotRig();
  await neighbour.serve(['echo']);
  const stage = await guestStage('echo');
  const refused = async (work: Promise<void>, code: string): Promise<void> => {
    await assert.rejects(work, (error: unknown) => {
      assert.ok(error instanceof SluiceError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
    await neighbour.push([Buffer.from(code)]);
  };
  for (const what of DEAR) {
    const shape = HOSTILE_SHAPES.find(each => each.what === what);
    assert.ok(shape !== undefined, what);
    const code = { format: 'core', bytes: await shape.bytes() } as const;
    await refused(hostile.slot.swap(chainOf([{ ...stage, code }], { startDeadlineMs: 20_000 })), shape.code);
  }
  await refused(hostile.serve(['spin-at-start'], { startDeadlineMs: 300 }), 'SLUICE_GUEST_DEADLINE');
  const outcomes = await neighbour.settle();
  assert.equal(outcomes.length, DEAR.length + 1);
  assert.ok(outcomes.every(({ code }) => code === undefined));
  assert.deepEqual([neighbour.restarts, neighbour.faults, neighbour.slot.generation], [[], [], 1]);
  assert.equal(hostile.slot.state, 'stopped');
});
