import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { locate } from '../../../runtime/admission/locate.js';

const bytes = await parse(`(module
  (func $import (import "m" "f"))
  (memory 1)
  (global $mask v128 (v128.const i32x4 1 2 3 4))
  (func $named (drop (f32x4.splat (f32.const 1))))
  (func (export "shown") (export "again") (drop (f32x4.add (global.get $mask) (global.get $mask))))
  (func unreachable (block (drop (f32x4.splat (f32.const 2)))))
  (func $both (export "other") return (drop (f32x4.splat (f32.const 3)))))`);

test('each place has function, name and byte; a name of the name section comes before an export', () => {
  const { total, places } = locate(bytes, new Set(['f32x4.splat', 'f32x4.add']), 100);
  assert.equal(total, 4);
  assert.deepEqual(
    places.map(({ opcode, function: index, name }) => [opcode, index, name]),
    [
      ['f32x4.splat', 1, 'named'],
      ['f32x4.add', 2, 'shown'],
      ['f32x4.splat', 3, undefined],
      ['f32x4.splat', 4, 'both'],
    ],
  );
  for (const { offset, opcode } of places) {
    assert.equal(bytes[offset], 0xfd);
    assert.equal(bytes[offset + 1], opcode === 'f32x4.splat' ? 19 : 0xe4);
  }
});

test('no more places are listed than asked for, all are counted', () => {
  const { total, places } = locate(bytes, new Set(['f32x4.splat']), 1);
  assert.deepEqual([total, places.length], [3, 1]);
});

test('instructions outside of functions have a byte alone', () => {
  const { places } = locate(bytes, new Set(['v128.const']), 100);
  assert.deepEqual(places, [{ opcode: 'v128.const', offset: places[0]!.offset }]);
  assert.equal(bytes[places[0]!.offset], 0xfd);
});

test('what is no instruction is nowhere', () => {
  assert.deepEqual(locate(bytes, new Set(['f32x4.sum', 'select']), 100), { total: 0, places: [] });
});

test('a damaged name section says nothing, exports still do', () => {
  const at = Buffer.from(bytes).indexOf('named');
  const damaged = Uint8Array.from(bytes);
  damaged[at - 1] = 0x7f;
  const { places } = locate(damaged, new Set(['f32x4.add', 'f32x4.splat']), 100);
  assert.deepEqual(
    places.map(({ name }) => name),
    [undefined, 'shown', undefined, 'other'],
  );
});

test('a name that is too long for a message is cut', async () => {
  const long = await parse(`(module (func $${'x'.repeat(5000)} (drop (i32.const 0))))`);
  const { places } = locate(long, new Set(['drop']), 1);
  assert.equal(places[0]?.name, `${'x'.repeat(120)}...`);
});
