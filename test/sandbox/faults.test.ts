import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedRig } from '../support/chain/shared-pool.js';
import type { Outcome } from '../support/chain/slot-rig.js';

const POISON = 0xee;

/** 40 frames, each with its number; those at the given places carry the poison byte in front. */
function frames(...poisoned: number[]): Buffer[] {
  return Array.from({ length: 40 }, (_, index) =>
    Buffer.from([poisoned.includes(index) ? POISON : 1, index, 7, 7]),
  );
}

/** Every frame has exactly one outcome, in order; only the poisoned ones are refused, with this code. */
function onlyTheseRefused(
  outcomes: readonly Outcome[],
  sent: readonly Buffer[],
  code: string,
  ...poisoned: number[]
): void {
  assert.deepEqual(
    outcomes.map(({ sequence }) => sequence),
    outcomes.map((_, index) => index + 1),
  );
  for (const [index, { code: got, messages, text }] of outcomes.entries()) {
    if (poisoned.includes(index)) assert.equal(got, code, text);
    else {
      assert.equal(got, undefined, text);
      assert.deepEqual(messages[0]?.payload, sent[index]);
    }
  }
}

for (const [guest, code] of [
  ['trap', 'SLUICE_GUEST_TRAP'],
  ['recurse', 'SLUICE_GUEST_STACK'],
  ['bad-pointer', 'SLUICE_GUEST_RESULT'],
  ['bad-length', 'SLUICE_GUEST_RESULT'],
  ['outside-arena', 'SLUICE_GUEST_RESULT'],
  ['bad-count', 'SLUICE_GUEST_RESULT'],
  ['spin', 'SLUICE_GUEST_DEADLINE'],
  ['memory-fill', 'SLUICE_GUEST_DEADLINE'],
] as const) {
  test(`the guest "${guest}" loses the poisoned frames with ${code}, and no other frame`, async () => {
    await using rig = sharedRig();
    await rig.serve([guest], { deadlineMs: 60, startDeadlineMs: 300, memory: 64 << 20 });
    const sent = [...frames(3, 4, 39), Buffer.from('a frame of the next batch')];
    await rig.run(sent.slice(0, 40));
    onlyTheseRefused(await rig.run(sent.slice(40)), sent, code, 3, 4, 39);
  });
}

test('a kill is blamed on the stage of the chain that hung, and its frame says which that was', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo', 'spin'], { deadlineMs: 60, startDeadlineMs: 300 });
  await rig.run([Buffer.from([1])]);
  const [{ code, stage, text } = assert.fail('no outcome')] = (await rig.run([Buffer.from([POISON])])).slice(
    -1,
  );
  assert.deepEqual([code, stage], ['SLUICE_GUEST_DEADLINE', 1]);
  assert.match(text, /^spin was killed/);
});

test('a poisoned first frame and a poisoned only frame are refused alone', async () => {
  await using rig = sharedRig();
  await rig.serve(['spin'], { deadlineMs: 50, startDeadlineMs: 400 });
  await rig.run([Buffer.from([POISON])]);
  const outcomes = await rig.run([Buffer.from([1])]);
  assert.deepEqual(
    outcomes.map(({ code }) => code),
    ['SLUICE_GUEST_DEADLINE', undefined],
  );
});

test('a guest that grows its memory in mid-call gives right results', async () => {
  await using rig = sharedRig();
  await rig.serve(['grow']);
  onlyTheseRefused(await rig.run(frames(5, 6)), frames(5, 6), 'none');
});

test('a guest that asks for more memory than it is granted keeps serving the other frames', async () => {
  await using rig = sharedRig();
  await rig.serve(['memory-hog'], { memory: 2 << 20 });
  const outcomes = await rig.run(frames(2));
  for (const [index, { messages, code }] of outcomes.entries()) {
    if (index !== 2) assert.deepEqual([code, messages[0]?.payload], [undefined, frames()[index]]);
  }
});

test('results larger than the slab are delivered whole', async () => {
  await using rig = sharedRig();
  await rig.serve(['big-output'], { deadlineMs: 2000 });
  const outcomes = await rig.run(frames(1, 2));
  assert.equal(outcomes[1]?.messages[0]?.payload.length, 1 << 20);
  assert.equal(outcomes[2]?.messages[0]?.payload.length, 1 << 20);
  assert.deepEqual(outcomes[39]?.messages[0]?.payload, frames()[39]);
});

test('results of a batch beyond the output limit come in pieces, and none is lost', async () => {
  await using rig = sharedRig();
  await rig.serve(['big-output'], { deadlineMs: 2000, output: 3 << 20, memory: 64 << 20 });
  const poisoned = Array.from({ length: 12 }, (_, index) => index * 2);
  const outcomes = await rig.run(frames(...poisoned));
  assert.deepEqual(
    outcomes.map(({ sequence, code }) => [sequence, code]),
    outcomes.map((_, index) => [index + 1, undefined]),
  );
  for (const index of poisoned) assert.equal(outcomes[index]?.messages[0]?.payload.length, 1 << 20);
});

test('one frame whose results are beyond the output limit is refused with SLUICE_GUEST_OUTPUT', async () => {
  await using rig = sharedRig();
  await rig.serve(['big-output'], { deadlineMs: 2000, output: 600_000 });
  onlyTheseRefused(await rig.run(frames(8)), frames(8), 'SLUICE_GUEST_OUTPUT', 8);
});

test('a flood of log lines is cut, and the frames go through', async () => {
  await using rig = sharedRig();
  await rig.serve(['log-flood'], { deadlineMs: 2000 });
  onlyTheseRefused(await rig.run(frames(0)), frames(0), 'none');
  assert.ok(rig.logs.length > 0 && rig.logs.length <= 100, `${rig.logs.length} lines`);
});

test('a batch that is too slow as a whole is run frame by frame, and no frame is lost', async () => {
  await using rig = sharedRig();
  await rig.serve(['slow'], { deadlineMs: 200, startDeadlineMs: 250, config: '{"ms":8}' });
  const all = Array.from({ length: 40 }, (_, index) => index);
  onlyTheseRefused(await rig.run(frames(...all)), frames(...all), 'none');
  assert.ok(rig.restarts.length > 0, 'the batch was no call too long');
});

test('a guest that fails at one call in a hundred, whatever it is given, loses nothing: a fresh instance takes the frames', async () => {
  await using rig = sharedRig();
  await rig.serve(['flaky']);
  for (let round = 0; round < 10; round++) await rig.run(frames());
  onlyTheseRefused(rig.outcomes, Array.from({ length: 10 }, () => frames()).flat(), 'none');
  assert.ok(rig.faults.length >= 2, `${rig.faults.length} faults`);
});

test('a frame without a message is an answer like any other', async () => {
  await using rig = sharedRig();
  await rig.serve(['zero-output']);
  const outcomes = await rig.run(frames(0, 7));
  assert.deepEqual(
    outcomes.map(({ messages, code }) => [messages.length, code]),
    frames().map((_, index) => [index === 0 || index === 7 ? 0 : 1, undefined]),
  );
});
