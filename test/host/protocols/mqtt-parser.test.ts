import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import type { MqttVersion } from '../../../host/protocols/mqtt-wire/constants.js';
import { BrokerParser } from '../../../host/protocols/mqtt-wire/parser.js';
import { SluiceError } from '../../../runtime/index.js';

type Seen = readonly [kind: string, ...rest: unknown[]];

function parserOf(version: MqttVersion): { parser: BrokerParser; seen: Seen[] } {
  const seen: Seen[] = [];
  const parser = new BrokerParser(version, {
    connack: packet => seen.push(['connack', packet]),
    puback: (id, reason, text) => seen.push(['puback', id, reason, text]),
    pingresp: () => seen.push(['pingresp']),
    disconnect: (reason, text) => seen.push(['disconnect', reason, text]),
  });
  return { parser, seen };
}

function parse(version: MqttVersion, ...chunks: Uint8Array[]): Seen[] {
  const { parser, seen } = parserOf(version);
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return seen;
}

const OK = { 4: Buffer.from([0x20, 2, 0, 0]), 5: Buffer.from([0x20, 3, 0, 0, 0]) } as const;
const REFUSED = { code: 'SLUICE_SINK_PROTOCOL' };

const text = fc.string({ maxLength: 40 });
const sixteen = fc.integer({ min: 1, max: 65_535 });
const properties = fc.record(
  {
    receiveMaximum: sixteen,
    maximumQoS: fc.constantFrom(0, 1),
    retainAvailable: fc.boolean(),
    maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
    assignedClientIdentifier: text,
    topicAliasMaximum: sixteen,
    reasonString: text,
    serverKeepAlive: sixteen,
    sessionExpiryInterval: fc.nat(),
    wildcardSubscriptionAvailable: fc.boolean(),
    subscriptionIdentifiersAvailable: fc.boolean(),
    sharedSubscriptionAvailable: fc.boolean(),
    responseInformation: text,
    serverReference: text,
    authenticationMethod: text,
    authenticationData: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)),
    // At least one: the oracle writes an empty object as a broken packet.
    userProperties: fc.dictionary(text, text, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  },
  { requiredKeys: [] },
);

test('a CONNACK of another implementation is read with all of its properties', () => {
  fc.assert(
    fc.property(properties, fc.boolean(), (given, sessionPresent) => {
      const bytes = generate({ cmd: 'connack', reasonCode: 0, sessionPresent, properties: given } as Packet, {
        protocolVersion: 5,
      });
      const [[kind, packet]] = parse(5, bytes) as [[string, { sessionPresent: boolean; properties: object }]];
      assert.equal(kind, 'connack');
      assert.equal(packet.sessionPresent, sessionPresent);
      const expected = {
        receiveMaximum: given.receiveMaximum,
        maximumQos: given.maximumQoS,
        retainAvailable: given.retainAvailable,
        maximumPacketSize: given.maximumPacketSize,
        assignedClientId: given.assignedClientIdentifier,
        topicAliasMaximum: given.topicAliasMaximum,
        reasonString: given.reasonString,
        serverKeepAlive: given.serverKeepAlive,
        sessionExpiryInterval: given.sessionExpiryInterval,
        serverReference: given.serverReference,
      };
      assert.deepEqual(packet.properties, JSON.parse(JSON.stringify(expected)));
    }),
    { numRuns: 300 },
  );
});

const broken = fc.constantFrom(0, 16, 128, 135, 142, 151, 0x70, 0xff);
const packet = fc.oneof(
  fc.record({
    cmd: fc.constant('puback'),
    messageId: sixteen,
    reasonCode: broken,
    reasonString: fc.option(text),
  }),
  fc.record({ cmd: fc.constant('pingresp') }),
  fc.record({ cmd: fc.constant('disconnect'), reasonCode: broken, reasonString: fc.option(text) }),
);

test('packets are read the same however the bytes are cut into pieces', () => {
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 30 })),
      (packets, cuts) => {
        const parts: Buffer[] = [OK[5]];
        const expected: Seen[] = [];
        for (const one of packets) {
          const { cmd } = one;
          if (cmd === 'pingresp') {
            parts.push(Buffer.from([0xd0, 0]));
            expected.push(['pingresp']);
            continue;
          }
          const { reasonCode, reasonString } = one as { reasonCode: number; reasonString: string | null };
          const id = 'messageId' in one ? [one.messageId >> 8, one.messageId & 0xff] : [];
          parts.push(withReason(cmd === 'puback' ? 0x40 : 0xe0, id, reasonCode, reasonString));
          expected.push([
            cmd,
            ...('messageId' in one ? [one.messageId] : []),
            reasonCode,
            reasonString ?? undefined,
          ]);
        }
        const bytes = Buffer.concat(parts);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(bytes.subarray(at));
        assert.deepEqual(parse(5, ...chunks).slice(1), expected);
      },
    ),
  );
});

/** PUBACK or DISCONNECT by hand: the oracle refuses to make unknown reason codes. */
function withReason(first: number, id: number[], reason: number, said: string | null): Buffer {
  const string = said === null ? Buffer.alloc(0) : Buffer.from(said);
  const property = said === null ? [] : [31, string.length >> 8, string.length & 0xff, ...string];
  const head = [...varint(property.length), ...property];
  const body = [...id, reason, ...(said === null ? [] : head)];
  return Buffer.from([first, ...varint(body.length), ...body]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
}

test('the oracle and the parser agree on PUBACK and DISCONNECT', () => {
  const puback = generate(
    { cmd: 'puback', messageId: 513, reasonCode: 135, properties: { reasonString: 'no' } },
    { protocolVersion: 5 },
  );
  const disconnect = generate(
    { cmd: 'disconnect', reasonCode: 142, properties: { reasonString: 'other' } },
    { protocolVersion: 5 },
  );
  assert.deepEqual(parse(5, OK[5], puback, disconnect).slice(1), [
    ['puback', 513, 135, 'no'],
    ['disconnect', 142, 'other'],
  ]);
  assert.deepEqual(parse(4, OK[4], generate({ cmd: 'puback', messageId: 7 })).slice(1), [
    ['puback', 7, 0, undefined],
  ]);
});

test('random bytes give packets or SLUICE_SINK_PROTOCOL, never another error', () => {
  const first = fc.constantFrom(0x20, 0x40, 0xd0, 0xe0, 0x30, 0x50, 0xf0);
  const plausible = fc
    .tuple(first, fc.uint8Array({ maxLength: 40 }))
    .map(([byte, body]) => Uint8Array.from([byte, body.length, ...body]));
  const bytes = fc.array(fc.oneof(plausible, fc.uint8Array({ maxLength: 20 })), { maxLength: 4 });
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom<MqttVersion>(4, 5), fc.boolean(), bytes, (version, greeted, chunks) => {
      try {
        parse(version, ...(greeted ? [OK[version]] : []), ...chunks);
      } catch (thrown) {
        assert.ok(thrown instanceof SluiceError);
        assert.equal(thrown.code, 'SLUICE_SINK_PROTOCOL');
        refused += 1;
      }
    }),
    { numRuns: 3_000 },
  );
  assert.ok(refused > 100);
});

test('a huge remaining length is refused before anything of the packet is kept', () => {
  const { parser } = parserOf(4);
  parser.push(OK[4]);
  assert.throws(() => parser.push(Buffer.from([0x40, 0xff, 0xff, 0xff, 0x7f])), REFUSED);
  assert.equal(parser.pending, 0);
});

test('a remaining length of five bytes, or longer than it has to be, is refused', () => {
  assert.throws(() => parse(5, OK[5], Buffer.from([0x40, 0x80, 0x80, 0x80, 0x80, 0x01])), REFUSED);
  assert.throws(() => parse(5, OK[5], Buffer.from([0x40, 0x82, 0x00, 0, 1])), REFUSED);
});

test('packets that no broker sends to a publisher are refused', () => {
  const frames = [
    [0x30, 4, 0, 1, 97, 98], // PUBLISH
    [0x50, 2, 0, 1], // PUBREC
    [0x62, 2, 0, 1], // PUBREL
    [0x70, 2, 0, 1], // PUBCOMP
    [0x90, 3, 0, 1, 0], // SUBACK
    [0xc0, 0], // PINGREQ
    [0xf0, 0], // AUTH
    [0x00, 0],
  ];
  for (const frame of frames) assert.throws(() => parse(5, OK[5], Buffer.from(frame)), REFUSED);
  assert.throws(() => parse(4, OK[4], Buffer.from([0xe0, 0])), REFUSED, 'DISCONNECT in 3.1.1');
});

test('CONNACK has to come first, and only once', () => {
  assert.throws(() => parse(4, Buffer.from([0xd0, 0])), REFUSED);
  assert.throws(() => parse(4, OK[4], OK[4]), REFUSED);
});

test('what answers in place of a broker is told by its first bytes', () => {
  for (const [bytes, message] of [
    [Buffer.from('HTTP/1.1 400 Bad Request'), /An HTTP server answers like this: is the port right\?$/],
    [Buffer.from('SSH-2.0-OpenSSH_9.2'), /An SSH server/],
    [Buffer.from([0x15, 3, 1, 0, 2, 2, 70]), /is it mqtts:\/\/ instead of mqtt:\/\/\?$/],
    [Buffer.from([0x50, 2, 0, 1]), /PUBREC before CONNACK\.$/],
  ] as const)
    assert.throws(() => parse(4, bytes), { ...REFUSED, message });
});

test('fields that break a clause are refused', () => {
  const bad = [
    [0x21, 3, 0, 0, 0], // flags of CONNACK
    [0x20, 3, 2, 0, 0], // reserved acknowledge flag
    [0x20, 3, 1, 0x87, 0], // refusal with a session
    [0x20, 6, 0, 0, 3, 33, 0, 0], // Receive Maximum 0
    [0x20, 8, 0, 0, 5, 39, 0, 0, 0, 0], // Maximum Packet Size 0
    [0x20, 5, 0, 0, 2, 36, 2], // Maximum QoS 2
    [0x20, 5, 0, 0, 2, 37, 2], // Retain Available 2
    [0x20, 7, 0, 0, 4, 37, 1, 37, 1], // twice
    [0x20, 5, 0, 0, 2, 99, 1], // unknown property
    [0x20, 5, 0, 0, 3, 37, 1], // property length beyond the packet
    [0x20, 6, 0, 0, 3, 31, 0, 5], // string beyond the packet
    [0x20, 2, 0, 0], // 3.1.1 form of an acceptance
  ];
  for (const frame of bad) assert.throws(() => parse(5, Buffer.from(frame)), REFUSED, frame.join(' '));
  assert.throws(() => parse(5, OK[5], Buffer.from([0x40, 2, 0, 0])), REFUSED, 'packet identifier 0');
  assert.throws(
    () => parse(4, OK[4], Buffer.from([0x40, 3, 0, 1, 0])),
    REFUSED,
    '3.1.1 PUBACK of three bytes',
  );
});

test('a refusal in the form of 3.1.1 is understood by a client of 5.0', () => {
  const [[, packet]] = parse(5, Buffer.from([0x20, 2, 0, 1])) as [
    [string, { code: number; legacy: boolean }],
  ];
  assert.deepEqual([packet.code, packet.legacy], [1, true]);
});
