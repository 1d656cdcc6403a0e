import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type DataParts,
  encodeBare,
  encodeClose,
  encodeData,
  encodeHello,
  encodeWelcome,
} from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { DataFrame, readClose, readHello, readWelcome } from '../../../host/protocols/tunnel/messages.js';
import { HEADER, LAST_SEQUENCE, MAGIC, TYPE, VERSION } from '../../../host/protocols/tunnel/wire.js';
import { SluiceError } from '../../../runtime/index.js';
import { inPieces } from './pieces.js';

const MOST = 4_096;
const sequence = fc.integer({ min: 1, max: LAST_SEQUENCE });

export const dataParts: fc.Arbitrary<DataParts> = fc.record(
  {
    payload: fc.uint8Array({ maxLength: 200 }),
    topic: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
    timestampMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
    trace: fc.uint8Array({ minLength: 25, maxLength: 25 }),
  },
  { requiredKeys: ['payload'] },
);

const client = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const u32 = fc.integer({ min: 28, max: 2 ** 32 - 1 });

const whole: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(sequence, dataParts).map(([n, parts]) => encodeData(n, parts)),
  fc
    .record({ client, session: sequence, first: sequence, token: fc.constantFrom('', 'secret') })
    .map(encodeHello),
  fc.record({ taken: sequence, window: u32, maxFrame: u32, keepAliveMs: u32 }).map(encodeWelcome),
  fc
    .tuple(fc.constantFrom(TYPE.ack, TYPE.ping, TYPE.pong, 0, 9, 15), sequence)
    .map(([type, n]) => encodeBare(type, n)),
  fc
    .record({ reason: fc.integer({ min: 0, max: 65535 }), text: fc.string({ maxLength: 80 }) })
    .map(encodeClose),
);

/** Bytes that begin as a frame does, so that what is behind the first check is reached too. */
const almost = fc
  .tuple(fc.uint8Array({ minLength: 28, maxLength: 120 }), fc.integer({ min: 0, max: 300 }))
  .map(([bytes, length]) => {
    bytes[0] = MAGIC;
    bytes[HEADER.kind] = (VERSION << 4) | (bytes[HEADER.kind]! & 15);
    bytes.set([0, 0, length >> 8, length & 255], HEADER.length);
    return Buffer.from(bytes);
  });

/** A stream of whole frames, of which some were damaged in one byte, cut short, or made up. */
const damaged = fc.tuple(whole, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([frame, at, change]) => {
  const bytes = Buffer.from(frame);
  bytes[at % bytes.length]! ^= change;
  return bytes;
});
const cut = fc.tuple(whole, fc.nat()).map(([frame, at]) => frame.subarray(0, at % frame.length));
const stream = fc
  .array(fc.oneof({ weight: 6, arbitrary: whole }, damaged, cut, almost, fc.uint8Array().map(Buffer.from)), {
    maxLength: 5,
  })
  .map(parts => Buffer.concat(parts));

/**
 * Reads everything there is in a stream; the frames as hex, and the code with which it ended.
 * @param memory all chunks come in it, one after the other, and it is used for something else at every second frame
 */
function readAll(chunks: readonly Uint8Array[], memory?: Uint8Array): { frames: string[]; code: string } {
  const reader = new FrameReader(MOST);
  const data = new DataFrame();
  const frames: string[] = [];
  try {
    for (const chunk of chunks) {
      memory?.set(chunk);
      reader.feed(memory ?? chunk, chunk.length);
      while (reader.next()) {
        if (memory !== undefined && frames.length % 2 === 1) {
          reader.keep();
          memory.fill(MAGIC);
        }
        const { bytes, start, end, type } = reader;
        frames.push(Buffer.from(bytes.subarray(start, end)).toString('hex'));
        if (type === TYPE.data) data.read(reader);
        if (type === TYPE.hello) readHello(reader);
        if (type === TYPE.welcome) readWelcome(reader);
        if (type === TYPE.close) readClose(reader);
      }
      assert.ok(reader.held <= MOST, `${reader.held} bytes are held`);
      assert.ok(reader.partial < MOST);
    }
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { frames, code: thrown.code };
  }
  return { frames, code: '' };
}

/** Any stream, however it is split, gives the same frames and the same end, and no error but a coded one. */
export const anyStream = fc.property(
  stream,
  fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 }),
  (bytes, sizes) => {
    const chunks = inPieces(bytes, sizes);
    const together = readAll([bytes]);
    assert.deepEqual(readAll(chunks), together);
    assert.deepEqual(readAll(chunks, new Uint8Array(MOST)), together);
    assert.deepEqual(readAll([bytes], new Uint8Array(bytes.length + 1)), together);
    assert.ok(
      ['', 'SLUICE_SOURCE_PROTOCOL', 'SLUICE_SOURCE_CHECKSUM', 'SLUICE_FRAME_TOO_LARGE'].includes(
        together.code,
      ),
      together.code,
    );
  },
);

/** A frame of which one byte is another never passes for a frame. */
export const anyDamage = fc.property(damaged, bytes => {
  const { frames } = readAll([bytes]);
  assert.deepEqual(frames, []);
});
