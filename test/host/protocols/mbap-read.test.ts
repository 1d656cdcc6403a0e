import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MbapParser } from '../../../host/protocols/mbap.js';
import {
  answerMismatch,
  encodeRead,
  READ,
  READ_REQUEST_BYTES,
  readAnswerBytes,
} from '../../../host/protocols/modbus-read.js';

function frame(...bytes: number[]): MbapParser {
  const parser = new MbapParser();
  parser.feed(Uint8Array.from([0, 1, 0, 0, 0, bytes.length, ...bytes]));
  assert.equal(parser.next(), true);
  return parser;
}

test('a read request has the bytes of the example in the specification', () => {
  // MODBUS Application Protocol V1.1b3, 6.3: read registers 108 to 110.
  const bytes = new Uint8Array(20).fill(0xee);
  assert.equal(encodeRead(bytes, 4, 0x1501, 0xff, READ.holding.code, 0x006b, 3), 4 + READ_REQUEST_BYTES);
  assert.equal(Buffer.from(bytes).toString('hex'), `eeeeeeee${'1501000000' + '06ff03006b0003'}eeeeeeee`);
});

test('every request is a whole ADU that says what was asked', () => {
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(
      u16,
      fc.nat(0xff),
      fc.integer({ min: 1, max: 4 }),
      u16,
      u16,
      (id, unit, code, first, count) => {
        const bytes = Buffer.alloc(READ_REQUEST_BYTES);
        encodeRead(bytes, 0, id, unit, code, first, count);
        const parser = new MbapParser();
        parser.feed(bytes);
        assert.equal(parser.next(), true);
        assert.equal(parser.end, READ_REQUEST_BYTES);
        assert.deepEqual([parser.transaction, parser.unit, parser.function], [id, unit, code]);
        assert.deepEqual([bytes.readUInt16BE(8), bytes.readUInt16BE(10)], [first, count]);
      },
    ),
  );
});

test('the largest answers of the protocol are as large as an ADU may be, or less', () => {
  assert.equal(readAnswerBytes(READ.holding.code, READ.holding.most), 259);
  assert.equal(readAnswerBytes(READ.coils.code, READ.coils.most), 259);
  assert.equal(readAnswerBytes(READ.discrete.code, 9), 11);
});

test('data and exceptions of the request fit', () => {
  assert.equal(answerMismatch(frame(5, 3, 4, 0, 1, 0, 2), 5, 3, 2), undefined);
  assert.equal(answerMismatch(frame(5, 1, 2, 0xff, 1), 5, 1, 9), undefined);
  assert.equal(answerMismatch(frame(5, 0x83, 2), 5, 3, 2), undefined);
});

for (const [what, bytes, text] of [
  ['another unit', [6, 3, 4, 0, 1, 0, 2], /unit 6 to a request to unit 5/],
  ['another function', [5, 4, 4, 0, 1, 0, 2], /function 4 to a request with 3/],
  ['an exception of another function', [5, 0x84, 2], /function 132 to a request with 3/],
  ['an exception with more than its code', [5, 0x83, 2, 2], /exception of 10 bytes/],
  ['an exception without a code', [5, 0x83], /exception of 8 bytes/],
  ['fewer registers', [5, 3, 2, 0, 1], /byte count 2 where 13 and 4 are right/],
  ['a byte count that its length does not hold', [5, 3, 4, 0, 1], /answer of 11 bytes with byte count 4/],
  ['a length beyond its byte count', [5, 3, 4, 0, 1, 0, 2, 0], /answer of 14 bytes with byte count 4/],
  ['no byte count at all', [5, 3], /answer of 8 bytes with byte count 0/],
] as const) {
  test(`an answer with ${what} does not fit, and the message says why`, () => {
    assert.match(answerMismatch(frame(...bytes), 5, 3, 2) ?? '', text);
  });
}
