import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type IPublishPacket, parser } from 'mqtt-packet';
import { adaptPublish } from '../../../host/protocols/mqtt-wire/adapt.js';
import type { MqttVersion } from '../../../host/protocols/mqtt-wire/constants.js';
import { MEASURE, PublishEncoder, type PublishId } from '../../../host/protocols/mqtt-wire/publish.js';
import { defectText } from '../../../host/protocols/mqtt-wire/text.js';
import { type TestMessage, viewOf } from '../../support/mqtt/mqtt-view.js';

const EMPTY = Buffer.alloc(0);

function encode(
  message: TestMessage,
  version: MqttVersion,
  packetId: number,
  prefix = EMPTY,
  id?: PublishId,
): Buffer {
  const encoder = new PublishEncoder(version, prefix);
  const view = viewOf(message);
  assert.equal(encoder.measure(view, packetId > 0 ? 1 : 0, id), MEASURE.ok);
  const out = Buffer.alloc(encoder.size + 2, 0xee);
  encoder.write(view, out, 1, packetId, id);
  assert.equal(out[0], 0xee, 'nothing is written before the packet');
  assert.equal(out.at(-1), 0xee, 'nothing is written behind the packet');
  return out.subarray(1, -1);
}

/** The oracle. */
function decode(bytes: Buffer, protocolVersion: MqttVersion): IPublishPacket {
  const found: IPublishPacket[] = [];
  const oracle = parser({ protocolVersion });
  oracle.on('packet', packet => found.push(packet as IPublishPacket));
  oracle.on('error', error => {
    throw error;
  });
  assert.equal(oracle.parse(bytes), 0, 'the oracle has nothing left');
  assert.equal(found.length, 1);
  return found[0]!;
}

/** Text that MQTT may carry: any Unicode but control characters, surrogates and non-characters. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .map(s => s.replace(/[\p{Cc}\p{Cs}\p{Cn}\p{Co}]/gu, '.'));
const topic = text.map(s => `t${s.replace(/[+#]/g, '-')}`);
const message = fc.record({
  topic,
  payload: fc.uint8Array({ maxLength: 20_000, size: '+1' }),
  contentType: text,
  retain: fc.boolean(),
  // Not empty, and not `__proto__`: the oracle keeps them in an object and mixes those up.
  properties: fc.array(
    fc.tuple(
      text.map(s => `k${s}`),
      text.map(s => `v${s}`),
    ),
    { maxLength: 8 },
  ),
});
type Sent = typeof message extends fc.Arbitrary<infer T> ? T : never;
const version = fc.constantFrom<MqttVersion>(4, 5);
const packetId = fc.integer({ min: 0, max: 65_535 });

/** mqtt-packet gives user properties as an object: values of a repeated key in an array. */
function asObject(
  list: readonly (readonly [string, string])[],
): Record<string, string | string[]> | undefined {
  const all = new Map<string, string[]>();
  for (const [key, value] of list) all.set(key, [...(all.get(key) ?? []), value]);
  if (all.size === 0) return undefined;
  return Object.fromEntries(
    [...all].map(([key, values]) => [key, values.length === 1 ? values[0]! : values]),
  );
}

function assertSame(packet: IPublishPacket, sent: Sent, v: MqttVersion, id: number): void {
  assert.equal(packet.topic, sent.topic);
  assert.deepEqual(Buffer.from(packet.payload), Buffer.from(sent.payload));
  assert.equal(packet.qos, id > 0 ? 1 : 0);
  assert.equal(packet.messageId, id > 0 ? id : undefined);
  assert.equal(packet.dup, false);
  assert.equal(packet.retain, sent.retain);
  const properties = v === 5 ? packet.properties : undefined;
  assert.equal(properties?.contentType ?? '', v === 5 ? sent.contentType : '');
  const users = properties?.userProperties;
  assert.deepEqual(users && { ...users }, v === 5 ? asObject(sent.properties) : undefined);
}

test('what is encoded is what another implementation decodes', () => {
  fc.assert(
    fc.property(message, version, packetId, (sent, v, id) => {
      assertSame(decode(encode(sent, v, id), v), sent, v, id);
    }),
    { numRuns: 400 },
  );
});

/** An id of any length, written as ids of the gateway are. */
function idOf(text: string, late: boolean): PublishId {
  return { length: text.length, late, write: (out, at) => at + out.write(text, at, 'latin1') };
}

test('an id goes out to 5.0 behind the properties of the message, and is left out for 3.1.1', () => {
  const name = fc.stringMatching(/^[a-z0-9/-]{1,300}$/);
  fc.assert(
    fc.property(message, version, packetId, name, fc.boolean(), (sent, v, id, text, late) => {
      const own: [string, string][] = [
        ...(late ? [['sluice-late', 'true'] as [string, string]] : []),
        ['sluice-id', text],
      ];
      const packet = decode(encode(sent, v, id, EMPTY, idOf(text, late)), v);
      assertSame(packet, { ...sent, properties: [...sent.properties, ...own] }, v, id);
    }),
    { numRuns: 200 },
  );
});

test('a prefix stands before the topic', () => {
  assert.equal(decode(encode({ topic: 'a/b' }, 4, 0, Buffer.from('plant1/')), 4).topic, 'plant1/a/b');
});

test('repeated user properties keep their order on the wire', () => {
  const bytes = encode(
    {
      topic: 'a',
      properties: [
        ['k', '1'],
        ['j', '2'],
        ['k', '3'],
      ],
    },
    5,
    0,
  );
  const pairs = ['k1', 'j2', 'k3'].map(([key, value]) => `&\0\x01${key}\0\x01${value}`).join('');
  assert.equal(bytes.toString('latin1'), `0\x19\0\x01a\x15${pairs}`);
});

test('payloads on both sides of each length of the remaining length are encoded right', () => {
  for (const size of [0, 1, 120, 127, 128, 16_370, 16_383, 16_384, 2_097_140, 2_097_152]) {
    const packet = decode(encode({ topic: 'abcd', payload: Buffer.alloc(size, 7) }, 4, 1), 4);
    assert.equal(packet.payload.length, size);
  }
});

test('a packet for 5.0 becomes the packet that would have been encoded for 3.1.1', () => {
  fc.assert(
    fc.property(message, packetId, fc.boolean(), fc.boolean(), (sent, id, dropQos, dropRetain) => {
      const bytes = Buffer.concat([encode(sent, 5, id)]);
      const how = { dropProperties: true, hasProperties: true, dropQos, dropRetain };
      const start = adaptPublish(bytes, 0, bytes.length, how);
      const plain = encode({ ...sent, retain: sent.retain && !dropRetain }, 4, dropQos ? 0 : id);
      assert.deepEqual(bytes.subarray(start), plain);
    }),
  );
});

test('a packet that loses QoS or retain keeps its properties', () => {
  fc.assert(
    fc.property(message, version, packetId, (sent, v, id) => {
      const bytes = Buffer.concat([encode(sent, v, id)]);
      const how = { dropProperties: false, hasProperties: v === 5, dropQos: true, dropRetain: true };
      const start = adaptPublish(bytes, 0, bytes.length, how);
      assert.deepEqual(bytes.subarray(start), encode({ ...sent, retain: false }, v, 0));
    }),
  );
});

function defectOf(bad: TestMessage, prefix = ''): string {
  const encoder = new PublishEncoder(5, Buffer.from(prefix));
  const measured = encoder.measure(viewOf(bad), 0);
  assert.notEqual(measured, MEASURE.ok);
  return `${measured === MEASURE.topic ? 'topic' : 'property'} ${defectText(encoder.defect)}`;
}

test('a topic that cannot be published to is refused, and the reason named', () => {
  assert.match(defectOf({ topic: '' }), /topic is empty/);
  assert.match(defectOf({ topic: '' }, 'plant/'), /topic is empty/);
  assert.match(defectOf({ topic: 'x'.repeat(65_536) }), /topic is longer/);
  assert.match(defectOf({ topic: 'x'.repeat(65_530) }, 'plant/'), /topic is longer/);
  for (const wild of ['+', 'a/#', 'ä/+/b']) assert.match(defectOf({ topic: wild }), /topic holds a wildcard/);
  for (const control of ['a\0', '\n', '\x7f', '\u0085', '\ufffe', '\ufdd0', '\u{1ffff}'])
    assert.match(defectOf({ topic: control }), /control character/);
});

test('the longest topic goes out', () => {
  assert.equal(decode(encode({ topic: 'x'.repeat(65_535) }, 5, 1), 5).topic.length, 65_535);
});

test('content type and properties that are not text are refused', () => {
  const bad = Buffer.from([0xc3, 0x28]);
  assert.match(defectOf({ topic: 'a', contentType: bad }), /property is not UTF-8/);
  assert.match(defectOf({ topic: 'a', properties: [[bad, 'v']] }), /property is not UTF-8/);
  assert.match(defectOf({ topic: 'a', properties: [['k', bad]] }), /property is not UTF-8/);
  assert.match(defectOf({ topic: 'a', properties: [['k', 'x'.repeat(65_536)]] }), /property is longer/);
});

test('3.1.1 carries no properties, so what is in them does not matter', () => {
  const encoder = new PublishEncoder(4, EMPTY);
  assert.equal(encoder.measure(viewOf({ topic: 'a', contentType: Buffer.from([0xff]) }), 0), MEASURE.ok);
});

test('exactly the topics that a strict decoder takes as UTF-8 are taken', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc.array(
      fc.constantFrom(0x61, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f, 0xf5),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  );
  fc.assert(
    fc.property(bytes, raw => {
      const view = viewOf({ topic: Uint8Array.from(raw) });
      const encoder = new PublishEncoder(4, EMPTY);
      const taken = encoder.measure(view, 0) === MEASURE.ok;
      let decoded: string | undefined;
      try {
        decoded = strict.decode(Uint8Array.from(raw));
      } catch {}
      const legal = decoded !== undefined && !/[+#\p{Cc}\p{Noncharacter_Code_Point}]/u.test(decoded);
      assert.equal(taken, legal);
    }),
    { numRuns: 2_000 },
  );
});
