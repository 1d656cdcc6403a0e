import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MBAP, MbapParser } from '../../../host/protocols/mbap.js';
import {
  answerMismatch,
  encodeAnswer,
  encodeException,
  readDataBytes,
} from '../../../host/protocols/modbus-read.js';
import { rtuFrame } from '../../support/devices/rtu-line.js';
import { anyLineBytes, askedLine } from '../../support/fuzz/modbus-fuzz.js';

const chunks = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [...new Set(cuts.map(cut => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...at].map((from, n) => bytes.subarray(from, at[n] ?? bytes.length));
};

test('an answer is found in whatever pieces and behind whatever noise it comes', () => {
  const noise = fc.array(fc.nat(255), { maxLength: 20 }).filter(bytes => !bytes.includes(7));
  const data = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(noise, data, fc.array(fc.nat(), { maxLength: 6 }), (before, values, cuts) => {
      const { got, bring } = askedLine();
      const answer = rtuFrame(7, [3, 4, ...values]);
      for (const chunk of chunks(Buffer.concat([Buffer.from(before), answer]), cuts)) bring(chunk);
      assert.deepEqual(got, [answer]);
    }),
  );
});

test('whatever comes, it gives at most one answer, of the size that was asked for or of an exception', () => {
  fc.assert(anyLineBytes);
});

test('what comes while nothing is asked is never taken for an answer', () => {
  const { port, got, bring } = askedLine();
  bring(rtuFrame(7, [3, 4, 0, 1, 0, 2]));
  bring(rtuFrame(7, [3, 4, 0, 3, 0, 4]));
  port.write(rtuFrame(7, [3, 0, 0, 0, 2]));
  bring(rtuFrame(7, [3, 4, 0, 5, 0, 6]));
  assert.deepEqual(
    got.map(answer => answer[4]),
    [1, 5],
  );
});

test('an ADU that is made around an answer is one that Modbus TCP takes for right', () => {
  const kind = fc.record({ code: fc.integer({ min: 1, max: 4 }), count: fc.integer({ min: 1, max: 125 }) });
  const head = fc.record({ transaction: fc.nat(0xffff), unit: fc.nat(255), exception: fc.nat(255) });
  fc.assert(
    fc.property(kind, head, ({ code, count }, { transaction, unit, exception }) => {
      const adu = new Uint8Array(MBAP.maxAdu);
      const data = new Uint8Array(readDataBytes(code, count)).fill(0xa5);
      const parser = new MbapParser();
      const right = encodeAnswer(adu, transaction, unit, code, data);
      parser.feed(adu, 0, right);
      assert.ok(parser.next());
      assert.deepEqual([parser.transaction, parser.end - parser.start], [transaction, right]);
      assert.equal(answerMismatch(parser, unit, code, count), undefined);
      assert.ok(!parser.next());
      const refused = encodeException(adu, transaction, unit, code, exception);
      parser.feed(adu, 0, refused);
      assert.ok(parser.next());
      assert.equal(answerMismatch(parser, unit, code, count), undefined);
    }),
  );
});
