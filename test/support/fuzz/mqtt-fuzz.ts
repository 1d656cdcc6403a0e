import assert from 'node:assert/strict';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { BrokerParser } from '../../../host/protocols/mqtt-wire/parser.js';
import { SubscriberParser } from '../../../host/protocols/mqtt-wire/subscriber.js';
import { SluiceError } from '../../../runtime/index.js';
import { inPieces } from './pieces.js';

export type Version = 4 | 5;

/** Bytes that may be held for a broker that has not accepted the connection yet. */
const UNKNOWN_PEER = 65_536;
const LIMIT = 70_000;

const id = fc.integer({ min: 1, max: 65_535 });
const word = fc
  .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
  .filter(text => !/[+#\0]/.test(text));
const reason = fc.constantFrom(0, 0x10, 0x80, 0x92, 0x97);

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc
    .record({
      topic: word,
      payload: fc.string({ maxLength: 60 }),
      qos: fc.constantFrom(0, 1, 2),
      dup: fc.boolean(),
      messageId: id,
    })
    .map(one => ({ cmd: 'publish', retain: false, ...one, dup: one.dup && one.qos > 0 }) as Packet),
  fc.record({ messageId: id, reasonCode: reason }).map(one => ({ cmd: 'pubrel', ...one }) as Packet),
  fc.record({ messageId: id, reasonCode: reason }).map(one => ({ cmd: 'puback', ...one }) as Packet),
  fc.record({ messageId: id }).map(one => ({ cmd: 'suback', granted: [0, 1, 2], ...one }) as Packet),
  fc.constant({ cmd: 'pingresp' } as Packet),
  fc.record({ reasonCode: reason }).map(one => ({ cmd: 'disconnect', ...one }) as Packet),
  fc
    .record({ sessionPresent: fc.boolean(), reasonCode: reason, returnCode: fc.nat(5) })
    .map(one => ({ cmd: 'connack', ...one }) as Packet),
);

/** Whole packets, damaged ones, cut ones, and bytes that are none; mostly behind a CONNACK. */
const stream = fc.constantFrom<Version>(4, 5).chain(version => {
  const whole = packet.map(one => generate(one, { protocolVersion: version }));
  const damaged = fc.tuple(whole, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([bytes, at, change]) => {
    const copy = Buffer.from(bytes);
    copy[at % copy.length]! ^= change;
    return copy;
  });
  const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length));
  const parts = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: whole },
      damaged,
      cut,
      fc.uint8Array({ maxLength: 20 }).map(Buffer.from),
    ),
    { maxLength: 6 },
  );
  const hello = fc.constantFrom(
    Buffer.from(version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]),
    Buffer.alloc(0),
  );
  return fc.record({
    version: fc.constant(version),
    bytes: fc.tuple(hello, parts).map(([first, rest]) => Buffer.concat([first, ...rest])),
    sizes: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 6 }),
  });
});

interface Reader {
  readonly pending: number;
  push(chunk: Buffer): boolean;
}

type Make = (version: Version, seen: string[]) => Reader;

export const subscriber: Make = (version, seen) =>
  new SubscriberParser(version, LIMIT, {
    connack: ({ code }) => seen.push(`connack ${code}`),
    pingresp: () => seen.push('pingresp'),
    disconnect: code => seen.push(`disconnect ${code}`),
    suback: (n, codes) => seen.push(`suback ${n} ${codes.join()}`),
    pubrel: n => seen.push(`pubrel ${n}`),
    publish: ({ bytes, topicStart, topicEnd, payloadStart, payloadEnd, packetId, tooLarge }) => {
      const part = (from: number, to: number): string => bytes.toString('hex', from, to);
      assert.ok(topicStart <= topicEnd && topicEnd <= payloadStart && payloadStart <= payloadEnd);
      seen.push(
        `publish ${packetId} ${tooLarge} ${part(topicStart, topicEnd)} ${part(payloadStart, payloadEnd)}`,
      );
      return true;
    },
  });

export const publisher: Make = (version, seen) =>
  new BrokerParser(version, {
    connack: ({ code }) => seen.push(`connack ${code}`),
    pingresp: () => seen.push('pingresp'),
    disconnect: code => seen.push(`disconnect ${code}`),
    puback: (n, code) => seen.push(`puback ${n} ${code}`),
  });

function readAll(make: Make, version: Version, chunks: readonly Buffer[]): { seen: string[]; code: string } {
  const seen: string[] = [];
  const reader = make(version, seen);
  try {
    for (const chunk of chunks) {
      // What is read is overwritten by the next read.
      const copy = Buffer.from(chunk);
      reader.push(copy);
      copy.fill(0xee);
      if (seen.length === 0) assert.ok(reader.pending <= UNKNOWN_PEER, `${reader.pending} bytes are held`);
    }
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { seen, code: thrown.code };
  }
  return { seen, code: '' };
}

/** Any stream, however it is split, gives the same packets and the same end, and no error but that of the protocol. */
const anyStreamOf = (make: Make, code: string) =>
  fc.property(stream, ({ version, bytes, sizes }) => {
    const together = readAll(make, version, [bytes]);
    assert.deepEqual(readAll(make, version, inPieces(bytes, sizes)), together);
    assert.ok(['', code].includes(together.code), together.code);
  });

export const MQTT_STREAMS = [
  ['subscriber', anyStreamOf(subscriber, 'SLUICE_SOURCE_PROTOCOL')],
  ['publisher', anyStreamOf(publisher, 'SLUICE_SINK_PROTOCOL')],
] as const;

/** Milliseconds that 64 KiB of one packet over and over take: the first time that is no more than `most`, else the best. */
export function bestTimeOf(make: Make, version: Version, packets: Buffer, most: number): number {
  const bytes = Buffer.alloc(65_536);
  for (let at = 0; at + packets.length <= bytes.length; at += packets.length) packets.copy(bytes, at);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % packets.length));
  const hello = Buffer.from(version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 20 && best > most; i++) {
    const reader = make(version, []);
    reader.push(hello);
    const began = performance.now();
    reader.push(whole);
    best = Math.min(best, performance.now() - began);
  }
  return best;
}
