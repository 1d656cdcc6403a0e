import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Packet, parser } from 'mqtt-packet';
import type { MqttVersion } from '../../../host/protocols/mqtt-wire/constants.js';
import {
  type ConnectOptions,
  DISCONNECT,
  DISCONNECT_END_SESSION,
  encodeConnect,
  PINGREQ,
} from '../../../host/protocols/mqtt-wire/session.js';
import {
  readVarint,
  VARINT_BAD,
  VARINT_MORE,
  varintSize,
  writeVarint,
} from '../../../host/protocols/mqtt-wire/varint.js';

function decode(bytes: Buffer, protocolVersion: MqttVersion = 5): Packet {
  const found: Packet[] = [];
  const oracle = parser({ protocolVersion });
  oracle.on('packet', packet => found.push(packet));
  oracle.on('error', error => {
    throw error;
  });
  oracle.parse(bytes);
  assert.equal(found.length, 1);
  return found[0]!;
}

const text = fc.string({ minLength: 1, maxLength: 30 });
const will = fc.record({
  topic: text,
  payload: text,
  qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  retain: fc.boolean(),
});
const connect: fc.Arbitrary<ConnectOptions> = fc.record({
  version: fc.constantFrom<MqttVersion>(4, 5),
  clientId: text,
  clean: fc.boolean(),
  keepAlive: fc.integer({ min: 0, max: 65_535 }),
  username: text,
  password: fc.option(text, { nil: undefined }),
  will: fc.option(will, { nil: undefined }),
  sessionExpiry: fc.nat(),
  maximumPacketSize: fc.integer({ min: 1, max: 0xffffffff }),
});

test('another implementation reads in CONNECT what was meant', () => {
  fc.assert(
    fc.property(connect, options => {
      const packet = decode(encodeConnect(options), options.version);
      assert.ok(packet.cmd === 'connect');
      assert.equal(packet.protocolId, 'MQTT');
      assert.equal(packet.protocolVersion, options.version);
      assert.equal(packet.clientId, options.clientId);
      assert.equal(packet.clean, options.clean);
      assert.equal(packet.keepalive, options.keepAlive);
      assert.equal(packet.username, options.username);
      assert.equal(packet.password?.toString(), options.password);
      assert.equal(packet.will?.topic, options.will?.topic);
      assert.equal(packet.will?.payload.toString(), options.will?.payload);
      assert.equal(packet.will?.qos, options.will?.qos);
      assert.equal(packet.will?.retain, options.will?.retain);
      const { sessionExpiry: sessionExpiryInterval, maximumPacketSize } = options;
      if (options.version === 5) {
        assert.deepEqual({ ...packet.properties }, { sessionExpiryInterval, maximumPacketSize });
      }
    }),
  );
});

const plain: ConnectOptions = {
  version: 4,
  clientId: 'c',
  clean: true,
  keepAlive: 30,
  sessionExpiry: 0,
  maximumPacketSize: 1,
};

test('a field that does not fit its two length bytes is a fault of the configuration', () => {
  assert.throws(() => encodeConnect({ ...plain, username: 'x'.repeat(65_536) }), {
    code: 'SLUICE_CONFIG_INVALID',
    message: /user name has 65536 bytes/,
  });
});

test('a password without a user name is refused in 3.1.1 and goes out in 5.0', () => {
  assert.throws(() => encodeConnect({ ...plain, password: 'x' }), { code: 'SLUICE_CONFIG_INVALID' });
  // The oracle does not take this one: look at the flags and at the end of the packet.
  const bytes = encodeConnect({ ...plain, version: 5, password: 'x' });
  assert.equal(bytes[9], 0x42);
  assert.deepEqual([...bytes.subarray(-3)], [0, 1, 0x78]);
});

test('PINGREQ and both forms of DISCONNECT are read by another implementation', () => {
  assert.equal(decode(PINGREQ).cmd, 'pingreq');
  assert.equal(decode(DISCONNECT).cmd, 'disconnect');
  const packet = decode(DISCONNECT_END_SESSION);
  assert.ok(packet.cmd === 'disconnect');
  assert.deepEqual({ ...packet.properties }, { sessionExpiryInterval: 0 });
});

test('every Variable Byte Integer comes back from its own bytes, and from no fewer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 268_435_455 }), value => {
      const bytes = Buffer.alloc(5, 0xff);
      const end = writeVarint(bytes, 0, value);
      assert.equal(end, varintSize(value));
      assert.equal(readVarint(bytes, 0, end), value);
      assert.equal(readVarint(bytes, 0, end - 1), VARINT_MORE);
    }),
  );
  assert.equal(readVarint(Buffer.from([0x80, 0]), 0, 2), VARINT_BAD);
  assert.equal(readVarint(Buffer.from([0xff, 0xff, 0xff, 0xff, 1]), 0, 5), VARINT_BAD);
});
