import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError, type Vector } from '../../runtime/index.js';
import type { StageSpec } from '../../sandbox/index.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import { chainOf, guestStage, type RigOptions, type SlotRig } from '../support/chain/slot-rig.js';

const POISON = 0xee;
const OPTIONS: RigOptions = { deadlineMs: 100, startDeadlineMs: 400 };

const bytes = (...values: number[][]): Buffer[] => values.map(value => Buffer.from(value));

async function tested(guest: string, vectors: readonly Vector[]): Promise<StageSpec> {
  return { ...(await guestStage(guest, OPTIONS)), vectors };
}

/** The candidate is refused with this code at this step, and what served before serves on. */
async function refused(
  rig: SlotRig,
  stages: readonly StageSpec[],
  code: string,
  step: string,
  text: RegExp,
): Promise<void> {
  const { generation } = rig.slot;
  await assert.rejects(rig.slot.swap(chainOf(stages, OPTIONS)), (thrown: unknown) => {
    assert.ok(thrown instanceof SluiceError);
    assert.deepEqual([thrown.code, thrown.step], [code, step], thrown.message);
    assert.match(thrown.message, text);
    return true;
  });
  assert.equal(rig.slot.generation, generation);
  if (generation > 0) assert.equal((await rig.run(bytes([1]))).at(-1)?.code, undefined);
}

const ECHO: Vector = {
  name: 'as it is',
  frame: { topic: 't', payload: '01ff' },
  messages: [{ payload: '01ff' }],
};

test('a candidate that answers its own test vectors serves', async () => {
  await using rig = sharedRig();
  await rig.slot.swap(chainOf([await tested('echo', [ECHO, ECHO])], OPTIONS));
  assert.equal(rig.slot.generation, 1);
});

test('a candidate that fails its own test vector never serves, and the vector and the difference are named', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  const wrong: Vector = { ...ECHO, name: 'reversed', messages: [{ payload: 'ff01' }] };
  const stage = await tested('echo', [ECHO, wrong]);
  await refused(
    rig,
    [stage],
    'SLUICE_PLUGIN_SELFTEST',
    'vectors',
    /"reversed": message 1 payload: expected hex:ff 01, got hex:01 ff/,
  );
});

test('a trap in a test vector is a difference; a vector may expect a refusal, of a configuration too', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  const poisoned: Vector = { ...ECHO, frame: { topic: 't', payload: 'ee' } };
  await refused(
    rig,
    [await tested('trap', [poisoned])],
    'SLUICE_PLUGIN_SELFTEST',
    'vectors',
    /got SLUICE_GUEST_TRAP: trap trapped/,
  );
  const no: Vector = {
    name: 'no JSON of tags',
    config: { tags: 7 },
    frame: { topic: 't', payload: '' },
    fault: { code: 'SLUICE_CONVERT_MALFORMED', text: 'never said' },
  };
  await refused(
    rig,
    [await tested('json', [no])],
    'SLUICE_PLUGIN_SELFTEST',
    'vectors',
    /"no JSON of tags": outcome: expected SLUICE_CONVERT_MALFORMED: never said, got SLUICE_/,
  );
});

test('vectors run on instances of their own: nothing of them is left in the one that serves', async () => {
  await using rig = sharedRig();
  const first: Vector = {
    name: 'one',
    frame: { topic: 't', payload: '' },
    messages: [{ text: '1', contentType: 'text/plain' }],
  };
  const second: Vector = { ...first, name: 'two', messages: [{ text: '2', contentType: 'text/plain' }] };
  await rig.slot.swap(chainOf([await tested('counter', [first, second])], OPTIONS));
  const [outcome] = await rig.run(bytes([1]));
  assert.equal(outcome?.messages[0]?.payload.toString(), '1');
});

test('a candidate that hangs in a test vector is killed, and the vector is named', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  const poisoned: Vector = { ...ECHO, frame: { topic: 't', payload: 'ee' } };
  const stage = await tested('spin', [{ ...ECHO, frame: { topic: 't', payload: '01ff' } }, poisoned]);
  await refused(
    rig,
    [stage],
    'SLUICE_GUEST_DEADLINE',
    'vectors',
    /did not answer its test vector 2 within 400 ms/,
  );
});

test('a candidate that traps on a frame of before never serves, and the frame is named', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes([1], [2], [POISON, 7]));
  const stage = await guestStage('trap', OPTIONS);
  await refused(
    rig,
    [stage],
    'SLUICE_GUEST_TRAP',
    'shadow',
    /trapped in run: unreachable, tried on frame 3 of the last 3 \(test\/topic from test: hex:ee 07\)/,
  );
});

test('a candidate that hangs on a frame of before is killed and never serves; the frames go on meanwhile', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes([1], [POISON]));
  const stage = await guestStage('spin', OPTIONS);
  const swap = refused(
    rig,
    [stage],
    'SLUICE_GUEST_DEADLINE',
    'shadow',
    /did not get through the last frames/,
  );
  const outcomes = await rig.run(bytes([3], [POISON]));
  assert.equal(outcomes.length, 4);
  await swap;
});

test('what only fails for several frames together is found too', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes([1], [2], [POISON]));
  await refused(
    rig,
    [await guestStage('bad-count', OPTIONS)],
    'SLUICE_GUEST_RESULT',
    'shadow',
    /2 results for 3 frames|0 results for 1 frames/,
  );
});

test('a frame that what served failed on as well is no reason to keep a candidate out', async () => {
  await using rig = sharedRig();
  await rig.serve(['trap']);
  await rig.run(bytes([1], [POISON], [2]));
  await rig.serve(['bad-pointer']);
  assert.equal(rig.slot.generation, 2);
});

test('what a candidate makes of frames of before is thrown away, and its state begins anew', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  await rig.run(bytes([1], [2], [3]));
  await rig.serve(['counter']);
  const outcomes = await rig.run(bytes([4]));
  assert.equal(outcomes.length, 4);
  assert.equal(outcomes[3]?.messages[0]?.payload.toString(), '1');
});
