import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generate, type IPublishPacket, type Packet } from 'mqtt-packet';
import type { MqttVersion } from '../../../host/protocols/mqtt-wire/constants.js';
import { PublishProperties } from '../../../host/protocols/mqtt-wire/publish-properties.js';
import { type SubscriberEvents, SubscriberParser } from '../../../host/protocols/mqtt-wire/subscriber.js';
import { SluiceError } from '../../../runtime/index.js';

interface Seen {
  topic: string;
  payload: string;
  qos: number;
  dup: boolean;
  retain: boolean;
  id: number;
  properties: unknown[];
  tooLarge: number;
}

/** A parser behind a CONNACK; `take` says whether there is room for the next message. */
function subscriber(
  version: MqttVersion,
  limit = 1 << 20,
  take: () => boolean = () => true,
): { parser: SubscriberParser; seen: Seen[]; other: unknown[] } {
  const seen: Seen[] = [];
  const other: unknown[] = [];
  const walk = new PublishProperties();
  const events: SubscriberEvents = {
    connack: () => {},
    pingresp: () => other.push('pingresp'),
    disconnect: reason => other.push(['disconnect', reason]),
    suback: (id, codes, text) => other.push(['suback', id, [...codes], text]),
    pubrel: id => other.push(['pubrel', id]),
    publish: p => {
      if (!take()) return false;
      const properties: unknown[] = [];
      walk.over(p.bytes, p.propertiesStart, p.propertiesEnd);
      while (walk.next()) {
        const text = (from: number, to: number): string => p.bytes.toString('utf8', from, to);
        properties.push([
          walk.id,
          text(walk.start, walk.end),
          walk.id === 38 ? text(walk.valueStart, walk.valueEnd) : '',
        ]);
      }
      assert.ok(!walk.broken);
      seen.push({
        topic: p.bytes.toString('utf8', p.topicStart, p.topicEnd),
        payload: p.bytes.toString('hex', p.payloadStart, p.payloadEnd),
        qos: p.qos,
        dup: p.dup,
        retain: p.retain,
        id: p.packetId,
        properties,
        tooLarge: p.tooLarge,
      });
      return true;
    },
  };
  const parser = new SubscriberParser(version, limit, events);
  parser.push(Buffer.from(version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]));
  return { parser, seen, other };
}

/** Pushes the bytes in pieces of these sizes, over and over; each piece is overwritten afterwards. */
function inPieces(bytes: Buffer, sizes: readonly number[], push: (piece: Buffer) => void): void {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const piece = Buffer.from(bytes.subarray(at, at + (sizes[i % sizes.length] ?? bytes.length)));
    at += piece.length;
    push(piece);
    piece.fill(0xee);
  }
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const message = fc.record({
  topic: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter(topic => !/[+#\0]/.test(topic)),
  payload: fc.uint8Array({ maxLength: 300 }),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  dup: fc.boolean(),
  retain: fc.boolean(),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  contentType: fc.option(text),
  expiry: fc.option(fc.nat()),
  users: fc.uniqueArray(
    fc.tuple(
      text.filter(key => key !== '__proto__'),
      text,
    ),
    {
      maxLength: 3,
      selector: ([key]) => key,
    },
  ),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function encode(version: MqttVersion, one: Message): { bytes: Buffer; wanted: Seen } {
  const dup = one.dup && one.qos > 0;
  const properties: NonNullable<IPublishPacket['properties']> = {
    ...(one.expiry === null ? {} : { messageExpiryInterval: one.expiry }),
    ...(one.contentType === null ? {} : { contentType: one.contentType }),
    ...(one.users.length === 0 ? {} : { userProperties: Object.fromEntries(one.users) }),
  };
  const packet: IPublishPacket = {
    cmd: 'publish',
    topic: one.topic,
    payload: Buffer.from(one.payload),
    qos: one.qos,
    dup,
    retain: one.retain,
    ...(one.qos > 0 ? { messageId: one.messageId } : {}),
    ...(version === 5 ? { properties } : {}),
  };
  const list = [
    ...(one.contentType === null ? [] : [[3, one.contentType, '']]),
    ...Object.entries(Object.fromEntries(one.users)).map(([key, value]) => [38, key, value]),
  ];
  return {
    bytes: generate(packet as Packet, { protocolVersion: version }),
    wanted: {
      topic: one.topic,
      payload: Buffer.from(one.payload).toString('hex'),
      qos: one.qos,
      dup,
      retain: one.retain,
      id: one.qos > 0 ? one.messageId : 0,
      properties: version === 5 ? list : [],
      tooLarge: 0,
    },
  };
}

/** Without what a frame does not carry, and in an order that does not depend on the other implementation. */
function comparable(seen: readonly Seen[]): unknown[] {
  return seen.map(one => ({
    ...one,
    properties: one.properties
      .filter(p => [3, 38].includes((p as [number])[0]))
      .map(String)
      .sort(),
  }));
}

for (const version of [4, 5] as const) {
  test(`publications of another implementation are read the same, however cut, also when there is no room now and then (version ${version})`, () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
        (messages, sizes, room) => {
          let asked = 0;
          const { parser, seen } = subscriber(version, 1 << 20, () => room[asked++ % room.length]!);
          const packets = messages.map(one => encode(version, one));
          inPieces(Buffer.concat(packets.map(({ bytes }) => bytes)), sizes, piece => {
            let went = parser.push(piece);
            for (let tries = 0; !went && tries < 7; tries++) went = parser.resume();
          });
          if (room.includes(true)) while (!parser.resume());
          const wanted = room.includes(true) ? packets.map(packet => packet.wanted) : [];
          assert.deepEqual(comparable(seen), comparable(wanted));
          if (room.includes(true)) assert.equal(parser.pending, 0);
        },
      ),
      { numRuns: 300 },
    );
  });
}

test('random bytes give packets or SLUICE_SOURCE_PROTOCOL, never another error', () => {
  const heads = fc.constantFrom(0x30, 0x32, 0x3b, 0x36, 0x90, 0xd0, 0xe0, 0x40);
  fc.assert(
    fc.property(
      fc.constantFrom(4 as const, 5 as const),
      heads,
      fc.uint8Array({ maxLength: 60 }),
      (version, head, bytes) => {
        const { parser } = subscriber(version);
        try {
          parser.push(Buffer.from([head, bytes.length, ...bytes, ...bytes]));
        } catch (thrown) {
          // A broken property field is found by whoever walks through it.
          if (thrown instanceof assert.AssertionError) return;
          assert.ok(thrown instanceof SluiceError);
          assert.equal(thrown.code, 'SLUICE_SOURCE_PROTOCOL');
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('any property field is walked through to its end or found broken, within its bounds', () => {
  const walk = new PublishProperties();
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(1, 2, 3, 8, 9, 11, 35, 38, 0), fc.nat(255))), bytes => {
      const field = Buffer.from([...bytes, 3, 0, 1, 65]);
      walk.over(field, 0, bytes.length);
      let steps = 0;
      while (walk.next()) {
        assert.ok(walk.start <= walk.end && walk.valueEnd <= bytes.length);
        assert.ok(++steps <= bytes.length);
      }
    }),
    { numRuns: 1_000 },
  );
});

const REFUSED: readonly (readonly [what: string, version: MqttVersion, bytes: number[], words: RegExp])[] = [
  ['QoS 3', 4, [0x36, 5, 0, 1, 97, 0, 1], /PUBLISH at QoS 3/],
  ['packet identifier 0', 4, [0x32, 5, 0, 1, 97, 0, 0], /packet identifier 0/],
  ['a topic longer than the packet', 4, [0x30, 3, 0, 9, 97], /cut short/],
  ['a packet that ends in its identifier', 4, [0x32, 4, 0, 1, 97, 0], /cut short/],
  ['properties longer than the packet', 5, [0x30, 4, 0, 1, 97, 9], /property length/],
  ['no property length', 5, [0x30, 3, 0, 1, 97], /property length/],
  ['a remaining length of five bytes', 4, [0x30, 0xff, 0xff, 0xff, 0xff], /remaining length/],
  ['PUBACK', 4, [0x40, 2, 0, 1], /PUBACK, which a subscriber does not expect/],
  ['flags on PUBREL', 5, [0x60, 2, 0, 1], /flags of PUBREL/],
  ['a PUBREL of identifier 0', 4, [0x62, 2, 0, 0], /identifier 0 in PUBREL/],
  ['a PUBREL with a reason in 3.1.1', 4, [0x62, 3, 0, 1, 0], /length of PUBREL/],
  ['a PUBREL with a broken property', 5, [0x62, 5, 0, 1, 0, 1, 9], /PUBREL/],
  ['a huge SUBACK', 5, [0x90, 0xff, 0xff, 0xff, 0x7f], /SUBACK of 268435460 bytes/],
  ['a SUBACK without codes', 4, [0x90, 2, 0, 1], /length of SUBACK/],
  ['flags on SUBACK', 4, [0x91, 3, 0, 1, 0], /flags of SUBACK/],
  ['DUP at QoS 0', 4, [0x38, 3, 0, 1, 97], /QoS 0 with DUP/],
];

for (const [what, version, bytes, words] of REFUSED) {
  test(`${what} breaks the protocol`, () => {
    const { parser } = subscriber(version);
    assert.throws(() => parser.push(Buffer.from(bytes)), { code: 'SLUICE_SOURCE_PROTOCOL', message: words });
  });
}

test('a PUBREL is shown by its identifier, with and without reason and properties', () => {
  const { parser, other } = subscriber(5);
  parser.push(Buffer.from([0x62, 2, 1, 2, 0x62, 3, 0, 7, 0x92, 0x62, 8, 0, 8, 0, 4, 0x1f, 0, 1, 97]));
  assert.deepEqual(other, [
    ['pubrel', 258],
    ['pubrel', 7],
    ['pubrel', 8],
  ]);
});

test('a message that is too large is shown by topic and identifier, and passed over', () => {
  const { parser, seen } = subscriber(4, 100_000);
  const large = encode(4, { ...plain(), payload: new Uint8Array(3_000_000).fill(7) }).bytes;
  const bytes = Buffer.concat([large, encode(4, plain()).bytes]);
  inPieces(bytes, [65_536], piece => parser.push(piece));
  assert.deepEqual(
    seen.map(({ topic, id, tooLarge, payload }) => [topic, id, tooLarge > 3_000_000, payload]),
    [
      ['t', 7, true, ''],
      ['t', 7, false, '01'],
    ],
  );
  assert.equal(parser.pending, 0);
});

test('a message that is too large comes again as such when there was no room to refuse it', () => {
  let room = false;
  const { parser, seen } = subscriber(4, 100_000, () => room);
  const large = encode(4, { ...plain(), payload: new Uint8Array(200_000).fill(7) }).bytes;
  assert.equal(parser.push(Buffer.concat([large, encode(4, plain()).bytes])), false);
  room = true;
  assert.equal(parser.resume(), true);
  assert.deepEqual(
    seen.map(({ tooLarge }) => tooLarge > 0),
    [true, false],
  );
});

test('SUBACK gives one code for each topic filter, and its reason', () => {
  const { parser, other } = subscriber(5);
  const properties = { reasonString: 'no' };
  parser.push(
    generate({ cmd: 'suback', messageId: 9, granted: [0, 1, 135], properties } as Packet, {
      protocolVersion: 5,
    }),
  );
  assert.deepEqual(other, [['suback', 9, [0, 1, 135], 'no']]);
});

function plain(): Message {
  return {
    topic: 't',
    payload: Uint8Array.of(1),
    qos: 1,
    dup: false,
    retain: false,
    messageId: 7,
    contentType: null,
    expiry: null,
    users: [],
  };
}
