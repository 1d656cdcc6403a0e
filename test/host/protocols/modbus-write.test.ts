import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MbapParser } from '../../../host/protocols/mbap.js';
import { answerMismatch } from '../../../host/protocols/modbus-read.js';
import {
  EXCEPTION,
  encodeWritten,
  MOST_WRITTEN,
  WRITE_ANSWER_BYTES,
  WriteRequest,
} from '../../../host/protocols/modbus-write.js';

/** The parser on an ADU of transaction 0x0102 and unit 5 with this PDU. */
function frame(pdu: readonly number[]): MbapParser {
  const parser = new MbapParser();
  parser.feed(Uint8Array.from([1, 2, 0, 0, (pdu.length + 1) >> 8, pdu.length + 1, 5, ...pdu]));
  assert.equal(parser.next(), true);
  return parser;
}

function word(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}

/** What the request reads as, in hex, behind transaction, protocol, length and unit. */
function readsAs(pdu: readonly number[]): { request: WriteRequest; hex: string } {
  const request = new WriteRequest();
  assert.equal(request.read(frame(pdu)), 0, request.defect);
  const hex = Buffer.from(request.reply.subarray(0, request.replyBytes)).toString('hex');
  assert.equal(hex.slice(0, 8), '01020000');
  assert.equal(hex.slice(12, 14), '05');
  return { request, hex: hex.slice(14) };
}

// The requests are the examples of MODBUS Application Protocol V1.1b3, 6.5, 6.6, 6.11 and 6.12.
for (const [what, pdu, reply, first, count] of [
  ['coil 173 set on', [5, 0x00, 0xac, 0xff, 0x00], '010101', 172, 1],
  ['a coil set off', [5, 0x00, 0xac, 0x00, 0x00], '010100', 172, 1],
  ['register 2 set to 3', [6, 0x00, 0x01, 0x00, 0x03], '03020003', 1, 1],
  ['ten coils from 20', [15, 0x00, 0x13, 0x00, 0x0a, 0x02, 0xcd, 0x01], '0102cd01', 19, 10],
  ['two registers from 2', [16, 0x00, 0x01, 0x00, 0x02, 0x04, 0x00, 0x0a, 0x01, 0x02], '0304000a0102', 1, 2],
] as const) {
  test(`${what} reads as the answer to a read of the same addresses`, () => {
    const { request, hex } = readsAs(pdu);
    assert.equal(hex, reply);
    assert.deepEqual([request.first, request.count], [first, count]);
  });
}

test('bits behind the last coil are zeros, as in an answer', () => {
  assert.equal(readsAs([15, 0, 0, 0, 3, 1, 0xff]).hex, '010107');
  assert.equal(readsAs([15, 0, 0, 0, 8, 1, 0xff]).hex, '0101ff');
});

for (const [what, pdu, exception, defect] of [
  ['a read', [3, 0, 0, 0, 1], EXCEPTION.illegalFunction, /function 3 is none of 5, 6, 15, 16/],
  ['function 0', [0, 0, 0, 0, 1], EXCEPTION.illegalFunction, /function 0/],
  ['function 255', [255], EXCEPTION.illegalFunction, /function 255/],
  ['write and read at once', [23, 0, 0, 0, 1], EXCEPTION.illegalFunction, /function 23/],
  ['a coil with a value between', [5, 0, 0, 0, 1], EXCEPTION.illegalValue, /the value 1 where a coil has 0/],
  ['a register without its value', [6, 0, 0, 0], EXCEPTION.illegalValue, /11 bytes where 12 are right/],
  ['a register with more', [6, 0, 0, 0, 1, 0], EXCEPTION.illegalValue, /13 bytes where 12 are right/],
  ['no byte count', [16, 0, 0, 0, 1], EXCEPTION.illegalValue, /12 bytes, which hold no byte count/],
  ['no register', [16, 0, 0, 0, 0, 0], EXCEPTION.illegalValue, /a quantity of 0 where 1 to 123/],
  ['too many registers', [16, 0, 0, 0, 124, 248], EXCEPTION.illegalValue, /a quantity of 124 where 1 to 123/],
  [
    'too many coils',
    [15, 0, 0, ...word(1969), 247],
    EXCEPTION.illegalValue,
    /a quantity of 1969 where 1 to 1968/,
  ],
  [
    'a byte count of its own',
    [16, 0, 0, 0, 1, 4, 0, 0],
    EXCEPTION.illegalValue,
    /byte count 4 where 15 and 2/,
  ],
  [
    'fewer bytes than it says',
    [16, 0, 0, 0, 2, 4, 0, 0],
    EXCEPTION.illegalValue,
    /15 bytes with byte count 4/,
  ],
  [
    'more bytes than it says',
    [15, 0, 0, 0, 8, 1, 0, 0],
    EXCEPTION.illegalValue,
    /15 bytes with byte count 1/,
  ],
  [
    'addresses beyond the last',
    [16, 0xff, 0xff, 0, 2, 4, 0, 0, 0, 0],
    EXCEPTION.illegalAddress,
    /addresses 65535-65536, and the last is 65535/,
  ],
] as const) {
  test(`${what} is answered with exception ${exception}, and said`, () => {
    const request = new WriteRequest();
    assert.equal(request.read(frame(pdu)), exception);
    assert.match(request.defect, defect);
    assert.deepEqual([request.transaction, request.unit, request.function], [0x0102, 5, pdu[0]]);
  });
}

test('the last address may be written', () => {
  assert.equal(readsAs([6, 0xff, 0xff, 0, 1]).hex, '03020001');
  assert.equal(readsAs([16, 0xff, 0xfe, 0, 2, 4, 0, 1, 0, 2]).hex, '030400010002');
});

test('whatever is written reads back as the same values', () => {
  const registers = fc.array(fc.nat(0xffff), { minLength: 1, maxLength: MOST_WRITTEN.registers });
  const coils = fc.array(fc.boolean(), { minLength: 1, maxLength: MOST_WRITTEN.coils });
  fc.assert(
    fc.property(registers, fc.nat(0xffff), (values, at) => {
      const first = Math.min(at, 0x10000 - values.length);
      const data = values.flatMap(word);
      const pdu = [16, ...word(first), ...word(values.length), data.length, ...data];
      assert.equal(readsAs(pdu).hex, Buffer.from([3, data.length, ...data]).toString('hex'));
    }),
  );
  fc.assert(
    fc.property(coils, fc.nat(0xff), (values, noise) => {
      const data = new Array<number>((values.length + 7) >> 3).fill(0);
      values.forEach((on, i) => {
        if (on) data[i >> 3]! |= 1 << (i & 7);
      });
      const wanted = Buffer.from([1, data.length, ...data]).toString('hex');
      // What stands behind the last coil is the device's own affair.
      if (values.length % 8 > 0) data[data.length - 1]! |= (noise << (values.length % 8)) & 0xff;
      assert.equal(readsAs([15, 0, 0, ...word(values.length), data.length, ...data]).hex, wanted);
    }),
  );
});

test('any bytes are an exception or a frame that fits a read of the same addresses', () => {
  const request = new WriteRequest();
  const code = fc.oneof(fc.constantFrom(5, 6, 15, 16), fc.nat(0xff));
  const near = fc.tuple(fc.constantFrom(0, 0xff), fc.nat(0xff), fc.constant(0), fc.nat(20), fc.nat(40));
  const head = fc.oneof(near, fc.constant([]));
  const rest = fc.uint8Array({ maxLength: 246 });
  fc.assert(
    fc.property(code, head, rest, (first, second, third) => {
      const pdu = [first, ...second, ...third];
      const exception = request.read(frame(pdu));
      if (exception > 0) {
        assert.ok([1, 2, 3].includes(exception) && request.defect !== '' && request.replyBytes === 0);
        return;
      }
      assert.ok(request.count >= 1 && request.first + request.count <= 0x10000);
      const reader = new MbapParser();
      reader.feed(request.reply, 0, request.replyBytes);
      assert.equal(reader.next(), true);
      assert.equal(answerMismatch(reader, 5, request.readCode, request.count), undefined);
      assert.equal(reader.transaction, 0x0102);
    }),
    { numRuns: 2000 },
  );
});

test('the answer to a write has the bytes of the example in the specification', () => {
  const bytes = new Uint8Array(20).fill(0xee);
  assert.equal(encodeWritten(bytes, 4, 0x1501, 0xff, 16, 1, 2), 4 + WRITE_ANSWER_BYTES);
  assert.equal(Buffer.from(bytes).toString('hex'), `eeeeeeee${'1501000000' + '06ff1000010002'}eeeeeeee`);
});
