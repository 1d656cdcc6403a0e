import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedRig } from '../support/chain/shared-pool.js';

test('20 swaps while frames flow lose none, repeat none and keep the order', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  let swapping = true;
  const swaps = (async () => {
    for (let swap = 0; swap < 20; swap++) await rig.serve(['echo']);
    swapping = false;
  })();
  let sent = 0;
  while (swapping) {
    await rig.push(Array.from({ length: 50 }, () => Buffer.from(String(++sent))));
    await new Promise(resolve => setImmediate(resolve));
  }
  await swaps;
  const outcomes = await rig.settle();
  assert.equal(rig.slot.generation, 21);
  assert.deepEqual(
    outcomes.map(({ messages }) => Number(messages[0]?.payload.toString())),
    Array.from({ length: sent }, (_, index) => index + 1),
  );
});

test('a generation that hangs while it drains is killed, and its slab is run by the new one', async () => {
  await using rig = sharedRig();
  // Its thread is the warm spare then: a cold one may take longer to come up than the guest to be killed a second time.
  await rig.serve(['echo']);
  await rig.serve(['spin'], { deadlineMs: 100, startDeadlineMs: 300 });
  await rig.push([Buffer.from([1, 1]), Buffer.from([0xee]), Buffer.from([1, 2])]);
  await rig.serve(['echo']);
  const outcomes = await rig.settle();
  assert.deepEqual(
    outcomes.map(({ messages, code }) => code ?? messages[0]?.payload.toString('hex')),
    ['0101', 'ee', '0102'],
  );
});

test('stopping delivers what was published before', async () => {
  const rig = sharedRig();
  await rig.serve(['echo']);
  await rig.push(Array.from({ length: 500 }, (_, index) => Buffer.from(String(index))));
  await rig[Symbol.asyncDispose]();
  assert.equal(rig.outcomes.length, 500);
});
