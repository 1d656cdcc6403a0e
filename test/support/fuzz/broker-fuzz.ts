import assert from 'node:assert/strict';
import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import { type GaugeDefect, PacketGauge } from '../../../host/protocols/mqtt-wire/packet-gauge.js';

const MOST = 1_000;
const hello = generate({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clientId: 'x',
  clean: true,
});
const message = generate({ cmd: 'publish', topic: 'a', payload: 'x', qos: 0, dup: false, retain: false });

/** All of a chunk, as a door does it: message by message. */
export function pushAll(gauge: PacketGauge, chunk: Uint8Array): GaugeDefect | undefined {
  let found: GaugeDefect | undefined;
  for (let at = 0; at < chunk.length && found === undefined; at = gauge.seen) found = gauge.push(chunk, at);
  return found;
}

/** The gauge of the embedded broker sees in pieces of any size what it sees in one, and never throws. */
export const anyClientStream = fc.property(
  fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      { weight: 2, arbitrary: fc.constant(hello) },
      { weight: 2, arbitrary: fc.constant(message) },
    ),
    { maxLength: 8 },
  ),
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 }),
  (parts, sizes) => {
    const all = Buffer.concat(parts);
    const whole = new PacketGauge(MOST);
    const wanted = pushAll(whole, all);
    const pieces = new PacketGauge(MOST);
    let found: GaugeDefect | undefined;
    for (let at = 0, i = 0; at < all.length && found === undefined; i++) {
      const size = sizes[i % sizes.length]!;
      found = pushAll(pieces, all.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(found, wanted);
    if (wanted !== undefined) return;
    assert.deepEqual(
      [pieces.partial, pieces.completed, pieces.messages],
      [whole.partial, whole.completed, whole.messages],
    );
  },
);
