import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c as bitByBit } from '../../../cpp-kernels/reference/crc.js';
import { crc32c } from '../../../host/protocols/tunnel/crc32c.js';
import {
  encodeBare,
  encodeClose,
  encodeData,
  encodeHello,
  encodeWelcome,
} from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { DataFrame, readClose, readHello, readWelcome } from '../../../host/protocols/tunnel/messages.js';
import { HEADER, LARGEST_HELLO, LAST_SEQUENCE, putU32, TYPE } from '../../../host/protocols/tunnel/wire.js';
import { Stamp } from '../../../runtime/index.js';
import { anyDamage, anyStream, dataParts } from '../../support/fuzz/tunnel-fuzz.js';
import { msOf } from '../../support/sources/recording-ingress.js';
import { tunnelVectors } from '../../support/sources/tunnel-vectors.js';

const HELLO = { client: 'press-4', session: 0x1234567890abc, first: 7, token: 'k3J9_xQ7mB2vN8pR' };
const PAYLOAD = Buffer.from([1, 2, 3, 0xff]);
const TRACE = Buffer.from(Array.from({ length: 25 }, (_, n) => n + 1));
const FULL = { payload: PAYLOAD, topic: 'halle/öl', timestampMs: 1764112345678.901, trace: TRACE };

function read(bytes: Uint8Array, most = 1 << 20): FrameReader {
  const reader = new FrameReader(most);
  reader.feed(bytes);
  assert.ok(reader.next());
  return reader;
}

test('the check is that of RFC 3720: its vectors, and bit by bit for any bytes', () => {
  const of = (bytes: Uint8Array): number => crc32c(bytes, 0, bytes.length);
  assert.equal(of(Buffer.from('123456789')), 0xe3069283);
  // RFC 3720, B.4: 32 bytes of zeros, of ones, and counting up.
  assert.equal(of(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(of(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(of(Uint8Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e);
  // Bytes that come a second time are read by words.
  const isRight = (bytes: Uint8Array): boolean => of(bytes) === bitByBit(bytes);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), bytes => isRight(bytes) && isRight(bytes)));
});

test('frames are made byte for byte as the vectors have them, which the C++ client shares', () => {
  const made = {
    client: [
      encodeHello(HELLO),
      encodeData(1, { payload: PAYLOAD }),
      encodeData(LAST_SEQUENCE, FULL),
      encodeData(2, { payload: Buffer.alloc(0) }),
      encodeBare(TYPE.ping, 0),
    ],
    server: [
      encodeWelcome({ taken: 1, window: 3, maxFrame: 262_144, keepAliveMs: 30_000 }),
      encodeBare(TYPE.ack, 2),
      encodeBare(TYPE.pong, 0),
      encodeClose({ reason: 1, text: 'the gateway stops' }),
    ],
  };
  for (const side of ['client', 'server'] as const) {
    assert.deepEqual(
      made[side].map(bytes => bytes.toString('hex')),
      tunnelVectors()[side].map(({ hex }) => hex),
    );
  }
});

test('what was put into a frame is read from it again', () => {
  assert.deepEqual(readHello(read(encodeHello(HELLO))), HELLO);
  const welcome = { taken: 5, window: 9, maxFrame: 4096, keepAliveMs: 0 };
  assert.deepEqual(readWelcome(read(encodeWelcome(welcome))), welcome);
  const close = { reason: 3, text: 'nein' };
  assert.deepEqual(readClose(read(encodeClose(close))), close);
  const data = new DataFrame();
  const property = fc.property(dataParts, fc.integer({ min: 1, max: LAST_SEQUENCE }), (parts, sequence) => {
    const frame = read(encodeData(sequence, parts));
    data.read(frame);
    const cut = (start: number, end: number): Buffer => Buffer.from(frame.bytes.subarray(start, end));
    assert.equal(frame.sequence, sequence);
    assert.equal(frame.isStamped, (parts.timestampMs ?? 0) > 0);
    assert.equal(Math.round(msOf(frame.stamp(new Stamp()))), parts.timestampMs ?? 0);
    assert.deepEqual(cut(data.payloadStart, data.payloadEnd), Buffer.from(parts.payload));
    assert.equal(cut(data.topicStart, data.topicEnd).toString(), Buffer.from(parts.topic ?? '').toString());
    assert.equal(data.trace >= 0, parts.trace !== undefined);
  });
  fc.assert(property, { numRuns: 50 });
});

test('a time of the client is kept to the nanosecond', () => {
  const bytes = encodeData(1, FULL);
  bytes.writeBigUInt64BE(1_764_112_345_678_901_234n, HEADER.timestamp);
  putU32(bytes, bytes.length - HEADER.check, crc32c(bytes, 0, bytes.length - HEADER.check));
  const { low, high } = read(bytes).stamp(new Stamp());
  assert.equal((BigInt(high) << 32n) | BigInt(low >>> 0), 1_764_112_345_678_901_234n);
});

test('any stream, however it is split, gives the same frames and no error but a coded one', () => {
  fc.assert(anyStream, { numRuns: 400 });
});

test('a frame of which one byte is another never passes for a frame', () => {
  fc.assert(anyDamage, { numRuns: 300 });
});

test('a frame that claims to be large holds no memory before its bytes come', () => {
  const reader = new FrameReader(1 << 24);
  const head = encodeData(1, { payload: Buffer.alloc(0) });
  putU32(head, 4, 1 << 24);
  reader.feed(head);
  assert.equal(reader.next(), false);
  assert.ok(reader.held <= 1024, `${reader.held}`);
});

test('between frames nothing is kept of a large one', () => {
  const reader = new FrameReader(1 << 20);
  const frame = encodeData(1, { payload: Buffer.alloc(100_000) });
  for (const part of [frame.subarray(0, 70_000), frame.subarray(70_000)]) {
    reader.feed(part);
    while (reader.next());
  }
  assert.ok(reader.held <= 1024, `${reader.held}`);
});

test('what is wrong is told with what was found: the first byte, the version, the length, the check', () => {
  const good = encodeBare(TYPE.ping, 0);
  const bad = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  const throws = (bytes: Buffer, code: string, message: RegExp, most = 1000): void => {
    assert.throws(() => read(bytes, most), { code, message });
  };
  throws(bad(0, 0x47), 'SLUICE_SOURCE_PROTOCOL', /byte 0x47 where a frame begins with 0xd5/);
  throws(bad(1, 0x25), 'SLUICE_SOURCE_PROTOCOL', /version 2; this end speaks 1/);
  throws(bad(7, 27), 'SLUICE_SOURCE_PROTOCOL', /a length of 27/);
  throws(bad(9, 1), 'SLUICE_SOURCE_CHECKSUM', /check of 0x/);
  throws(
    encodeData(1, { payload: Buffer.alloc(1000) }),
    'SLUICE_FRAME_TOO_LARGE',
    /1028 bytes, and 1000 are the most/,
  );
  throws(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'SLUICE_SOURCE_PROTOCOL', /begins 474554/, LARGEST_HELLO);
});

test('a HELLO says who comes in letters, digits and . _ -, and its lengths add up', () => {
  for (const client of ['', 'a/b', '.a', 'ö', 'x'.repeat(65)]) {
    assert.throws(() => readHello(read(encodeHello({ ...HELLO, client }))), {
      code: 'SLUICE_SOURCE_PROTOCOL',
    });
  }
  for (const session of [0, 2 ** 53]) {
    assert.throws(() => readHello(read(encodeHello({ ...HELLO, session }))), {
      code: 'SLUICE_SOURCE_PROTOCOL',
    });
  }
});

test('a body that ends within its topic or trace context is refused, and so is a flag that is not known', () => {
  const data = new DataFrame();
  const withFlags = (flags: number, payload: readonly number[]): Buffer => {
    const bytes = encodeData(1, { payload: Buffer.from(payload) });
    bytes.writeUInt16BE(flags, 2);
    putU32(bytes, bytes.length - 4, crc32c(bytes, 0, bytes.length - 4));
    return bytes;
  };
  const throws = (flags: number, payload: readonly number[], message: RegExp): void => {
    assert.throws(() => data.read(read(withFlags(flags, payload))), {
      code: 'SLUICE_SOURCE_PROTOCOL',
      message,
    });
  };
  throws(1, [1, 2, 3], /trace context/);
  throws(2, [0], /within its topic/);
  throws(2, [0, 5, 1, 2, 3, 4], /within its topic/);
  throws(2, [0, 0, 1], /empty topic/);
  throws(4, [], /flags 0x4/);
  // The high byte is for what may be ignored.
  data.read(read(withFlags(0x100, [])));
});
