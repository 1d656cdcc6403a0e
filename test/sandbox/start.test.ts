import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../runtime/index.js';
import type { CoreCode } from '../../sandbox/index.js';
import { chainOf, guestStage, SlotRig } from '../support/chain/slot-rig.js';

for (const [guest, code, step] of [
  ['bad-import', 'SLUICE_MODULE_IMPORT', 'admit'],
  ['missing-export', 'SLUICE_MODULE_EXPORT', 'admit'],
  ['wrong-type', 'SLUICE_MODULE_EXPORT', 'admit'],
  ['huge-memory', 'SLUICE_MODULE_MEMORY', 'admit'],
  ['huge-table', 'SLUICE_MODULE_TABLE', 'admit'],
  ['spin-at-start', 'SLUICE_GUEST_DEADLINE', 'start'],
  ['spin-at-configure', 'SLUICE_GUEST_DEADLINE', 'start'],
] as const) {
  test(`the guest "${guest}" never serves: ${code} at ${step}`, async () => {
    await using rig = new SlotRig();
    await assert.rejects(rig.serve([guest], { startDeadlineMs: 300 }), (error: unknown) => {
      assert.ok(error instanceof SluiceError);
      assert.equal(error.code, code, error.message);
      assert.equal(error.step, step, error.message);
      assert.match(error.message, new RegExp(guest));
      return true;
    });
    assert.equal(rig.slot.state, 'stopped');
  });
}

for (const [what, bytes, code] of [
  ['an empty file', Buffer.alloc(0), 'SLUICE_MODULE_NOT_WASM'],
  ['a text', Buffer.from('hello, plant\n'), 'SLUICE_MODULE_NOT_WASM'],
  [
    '40 MB of zeros behind the magic',
    Buffer.concat([Buffer.from('0061736d01000000', 'hex'), Buffer.alloc(40 << 20)]),
    'SLUICE_MODULE_TOO_LARGE',
  ],
  [
    '10 MB of zeros behind the magic',
    Buffer.concat([Buffer.from('0061736d01000000', 'hex'), Buffer.alloc(10 << 20)]),
    'SLUICE_MODULE_MALFORMED',
  ],
] as const) {
  test(`${what} is refused with ${code}`, async () => {
    await using rig = new SlotRig();
    const stage = await guestStage('echo');
    const spec = chainOf([{ ...stage, code: { format: 'core', bytes } }]);
    await assert.rejects(rig.slot.swap(spec), { code });
  });
}

test('a truncated module is refused at every length', async () => {
  await using rig = new SlotRig();
  const stage = await guestStage('echo');
  const { bytes } = stage.code as CoreCode;
  for (const length of [4, 8, 9, 20, 100, 400]) {
    const spec = chainOf([{ ...stage, code: { format: 'core', bytes: bytes.subarray(0, length) } }]);
    await assert.rejects(
      rig.slot.swap(spec),
      (error: unknown) => error instanceof SluiceError && error.code.startsWith('SLUICE_MODULE_'),
    );
  }
});

test('a candidate that fails leaves the serving generation alone', async () => {
  await using rig = new SlotRig();
  await rig.serve(['echo']);
  await assert.rejects(rig.serve(['missing-export']), { code: 'SLUICE_MODULE_EXPORT' });
  const [outcome] = await rig.run([Buffer.from('still here')]);
  assert.equal(outcome?.messages[0]?.payload.toString(), 'still here');
  assert.equal(rig.slot.generation, 1);
});

test('a sandbox beyond the limit of threads is refused with SLUICE_SANDBOX_LIMIT', async () => {
  await using rig = new SlotRig();
  await rig.serve(['echo']);
  for (let left = rig.pool.limit - rig.pool.busy; left > 0; left--) rig.pool.take();
  assert.throws(() => rig.pool.take(), { code: 'SLUICE_SANDBOX_LIMIT' });
});
