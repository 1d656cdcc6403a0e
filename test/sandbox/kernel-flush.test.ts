import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chainOf, guestStage, SlotRig } from '../support/chain/slot-rig.js';
import { means, restsOf, samples } from '../support/chain/window-guest.js';

// What a chain gives out when it is idle is in races.test.ts: that takes a second.
test('a window that is not full is given out when its generation drains for one that does not go on with it, and at a shutdown', async () => {
  await using rig = new SlotRig();
  await rig.slot.swap(chainOf([await means()]));
  await rig.push([samples(4, 6)]);
  await rig.slot.swap(chainOf([await guestStage('gain', { config: '{"gain":1}' })]));
  await rig.until(() => restsOf(rig).length > 0);
  assert.deepEqual(restsOf(rig), [5]);
  assert.equal(rig.slot.generation, 2);
  await rig.slot.swap(chainOf([await means()]));
  await rig.push([samples(7)]);
  await rig.slot.stop(AbortSignal.timeout(5000));
  assert.deepEqual(restsOf(rig), [5, 7]);
});
