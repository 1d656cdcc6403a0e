import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { MBAP, MbapParser } from '../../../host/protocols/mbap.js';
import { answerMismatch } from '../../../host/protocols/modbus-read.js';
import { WriteRequest } from '../../../host/protocols/modbus-write.js';
import { RtuPort } from '../../../host/sources/modbus-rtu/rtu-port.js';
import { SluiceError } from '../../../runtime/index.js';
import { rtuFrame } from '../devices/rtu-line.js';
import { inPieces } from './pieces.js';

const UNIT = 5;

/** Around any PDU, mostly of the functions that are known; some are cut, and there is noise between them. */
const adu = fc
  .tuple(fc.oneof(fc.constantFrom(1, 3, 5, 6, 15, 16, 0x83), fc.nat(255)), fc.uint8Array({ maxLength: 252 }))
  .map(([code, rest]) => {
    const length = 2 + rest.length;
    return Buffer.from([0, 1, 0, 0, length >> 8, length & 255, UNIT, code, ...rest]);
  });
const cut = fc.tuple(adu, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length));
const noise = fc.uint8Array({ max: 2, maxLength: 12 }).map(Buffer.from);
const stream = fc
  .array(
    fc.oneof({ weight: 6, arbitrary: adu }, cut, noise, fc.uint8Array({ maxLength: 20 }).map(Buffer.from)),
    {
      maxLength: 5,
    },
  )
  .map(parts => Buffer.concat(parts));

function readAll(chunks: readonly Uint8Array[]): { seen: string[]; code: string } {
  const parser = new MbapParser();
  const request = new WriteRequest();
  const seen: string[] = [];
  try {
    for (const chunk of chunks) {
      parser.feed(Uint8Array.from(chunk));
      while (parser.next()) {
        assert.ok(parser.end - parser.start <= MBAP.maxAdu);
        const exception = request.read(parser);
        const told =
          exception > 0 ? request.defect : Buffer.from(request.reply).toString('hex', 0, request.replyBytes);
        seen.push(`${exception} ${told} ${answerMismatch(parser, UNIT, 3, 2) ?? 'an answer'}`);
      }
      assert.ok(parser.partial <= MBAP.maxAdu);
    }
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    return { seen, code: thrown.code };
  }
  return { seen, code: '' };
}

/** Any stream, however it is split, gives the same requests and answers, and no error but that of the protocol. */
export const anyModbusStream = fc.property(
  stream,
  fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
  (bytes, sizes) => {
    const chunks = inPieces(bytes, sizes);
    const together = readAll([bytes]);
    assert.deepEqual(readAll(chunks), together);
    assert.ok(['', 'SLUICE_SOURCE_PROTOCOL'].includes(together.code), together.code);
  },
);

/** A line whose bytes the test brings, after it was asked for two registers of unit 7. */
export function askedLine(): { port: RtuPort; got: Buffer[]; bring: (bytes: Uint8Array) => void } {
  const line = new Duplex({ read: () => {}, write: (_bytes, _encoding, done) => done() });
  const port = new RtuPort({ stream: line, isOpen: true, close: async () => {} });
  const got: Buffer[] = [];
  port.on('data', (answer: Buffer) => got.push(answer));
  port.write(rtuFrame(7, [3, 0, 0, 0, 2]));
  return { port, got, bring: bytes => void line.emit('data', Buffer.from(bytes)) };
}

/** Whatever comes on a serial line, it gives at most one answer, of the size that was asked for or of an exception. */
export const anyLineBytes = fc.property(
  fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }),
  pieces => {
    const { port, got, bring } = askedLine();
    for (const piece of pieces) bring(piece);
    bring(Buffer.from([7, 3]));
    assert.ok(got.length <= 1);
    for (const answer of got) assert.ok(answer.length === 9 || answer.length === 5);
    assert.ok(port.stray <= 256);
  },
);
