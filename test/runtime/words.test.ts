import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copyWords, isSame, LastView } from '../../runtime/index.js';

test('words are copied as bytes are, from any place to any place', () => {
  const where = fc.record({ bytes: fc.uint8Array({ maxLength: 120 }), skip: fc.nat(9), to: fc.nat(40) });
  fc.assert(
    fc.property(where, ({ bytes, skip, to }) => {
      const start = Math.min(skip, bytes.length);
      const target = new Uint8Array(200).fill(0xee);
      const expected = Uint8Array.from(target);
      expected.set(bytes.subarray(start), to);
      const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const end = copyWords(from, start, bytes.length, new DataView(target.buffer), to);
      assert.equal(end, to + bytes.length - start);
      assert.deepEqual(target, expected);
    }),
  );
});

test('bytes are the same where each of them is, and are not where one is another', () => {
  const where = fc.record({
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    at: fc.nat(9),
    wrong: fc.nat(39),
    bit: fc.nat(7),
  });
  fc.assert(
    fc.property(where, ({ bytes, at, wrong, bit }) => {
      const other = new Uint8Array(60);
      other.set(bytes, at);
      const one = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const two = new DataView(other.buffer);
      assert.equal(isSame(one, 0, bytes.length, two, at), true);
      other[at + (wrong % bytes.length)]! ^= 1 << bit;
      assert.equal(isSame(one, 0, bytes.length, two, at), false);
      assert.equal(isSame(one, 1, 1, two, at), true, 'nothing is the same as nothing');
    }),
  );
});

test('a view is made of bytes that come a second time, and is the same from then on', () => {
  const views = new LastView();
  const part = new Uint8Array(8).subarray(3, 5);
  assert.equal(views.of(part), undefined);
  const view = views.of(part);
  assert.deepEqual([view?.byteOffset, view?.byteLength], [3, 2]);
  assert.equal(views.of(part), view);
  assert.equal(views.of(new Uint8Array(1)), undefined);
  assert.equal(views.of(part), undefined);
});
