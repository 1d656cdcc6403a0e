import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameWriter, HEADER, Interned, Slab, Stamp } from '../../runtime/index.js';
import type { Delivery } from '../../sandbox/index.js';
import { Ring } from '../../sandbox/index.js';
import { sharedRig } from '../support/chain/shared-pool.js';

const source = Interned.text('s');
const topic = Interned.text('t');
const time = Stamp.ofMs(1);

function write(ring: Ring, bytes: Uint8Array, sequence = 1): boolean {
  return ring.push(0, sequence, source, topic, time, bytes, 0, bytes.length, undefined);
}

test('a slab that was published takes no more frames: SLUICE_RING_PUBLISHED', () => {
  const slab = new Slab(new SharedArrayBuffer(4096));
  const writer = new FrameWriter(slab, new Uint32Array(100), 2048);
  assert.equal(writer.push(source, topic, time, Buffer.from('a'), 0, 1, undefined), true);
  writer.finish(new Int32Array(HEADER.words), 0);
  assert.throws(() => writer.push(source, topic, time, Buffer.from('b'), 0, 1, undefined), {
    code: 'SLUICE_RING_PUBLISHED',
  });
});

test('a delivery that was acked cannot be read any more: SLUICE_RING_ACKED', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  let kept: Delivery | undefined;
  rig.onDelivery = delivery => {
    kept ??= delivery;
  };
  await rig.run([Buffer.from('x')]);
  assert.throws(() => kept?.slab, { code: 'SLUICE_RING_ACKED' });
  assert.throws(() => kept?.load(0), { code: 'SLUICE_RING_ACKED' });
  assert.throws(() => kept?.frame(0), { code: 'SLUICE_RING_ACKED' });
});

test('the input of a slab is the same byte for byte when its results come', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo']);
  const payloads = Array.from({ length: 200 }, (_, index) => Buffer.alloc(index, index));
  const seen: Uint8Array[] = [];
  rig.onDelivery = delivery => {
    for (let frame = delivery.begin; frame < delivery.end; frame++)
      if (!delivery.isFlush) seen.push(delivery.frame(frame).payload);
  };
  await rig.run(payloads);
  assert.deepEqual(
    seen.map(bytes => Buffer.from(bytes)),
    payloads,
  );
});

test('without a sandbox a ring takes a bounded number of frames and then none', () => {
  const ring = new Ring({ published() {}, replaced() {} });
  let taken = 0;
  while (write(ring, Buffer.alloc(1000), taken + 1)) taken++;
  assert.ok(taken > 100 && taken < 2000, `${taken} frames`);
  assert.equal(ring.hasRoom(1000), false);
});

test('a frame larger than a slab makes the slab grow, and larger than the largest is SLUICE_FRAME_TOO_LARGE', async () => {
  await using rig = sharedRig();
  await rig.serve(['echo'], { deadlineMs: 5000 });
  const large = Buffer.alloc(3 << 20, 5);
  const [outcome] = await rig.run([large]);
  assert.deepEqual(outcome?.messages[0]?.payload, large);
  const ring = new Ring({ published() {}, replaced() {} });
  assert.throws(() => write(ring, Buffer.alloc(40 << 20)), { code: 'SLUICE_FRAME_TOO_LARGE' });
});
