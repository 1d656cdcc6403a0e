import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeData } from '../../scripts/wasm/merge-data.js';

interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const PAGES = 3;

/** A module with a memory, these segments, and a data count. */
function moduleOf(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const data = parts.flatMap(({ at, bytes }) => [
    0,
    0x41,
    ...signed(at),
    0x0b,
    ...unsigned(bytes.length),
    ...bytes,
  ]);
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(5, [1, 0, PAGES]),
    ...section(7, [1, 1, 0x6d, 2, 0]),
    ...section(12, unsigned(parts.length)),
    ...section(11, [...unsigned(parts.length), ...data]),
  );
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

function memoryOf(bytes: Uint8Array<ArrayBuffer>): Buffer {
  const { m } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  return Buffer.from((m as WebAssembly.Memory).buffer);
}

/** Segments close together, far apart, and over each other. */
const parts = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.integer({ min: -3, max: 20 }), fc.nat(9000)),
      bytes: fc.uint8Array({ maxLength: 200 }),
    }),
    {
      maxLength: 12,
    },
  )
  .map(list => {
    let at = 100;
    return list.map(({ gap, bytes }): Part => {
      const part = { at: at + gap, bytes };
      at = part.at + bytes.length;
      return part;
    });
  });

test('a module whose segments are joined begins with the same memory, and is no larger', () => {
  fc.assert(
    fc.property(parts, list => {
      const before = moduleOf(list);
      const after = new Uint8Array(mergeData(before));
      assert.ok(after.length <= before.length);
      assert.ok(memoryOf(after).equals(memoryOf(before)));
    }),
  );
});

test('segments next to each other become one', () => {
  const list = ['one', 'two', 'three'].map((text, i) => ({ at: 1024 + i * 3, bytes: Buffer.from(text) }));
  const joined = moduleOf([{ at: 1024, bytes: Buffer.from('onetwothree') }]);
  assert.deepEqual(mergeData(moduleOf(list)), joined);
});

test('a module with a passive segment, or without data, stays as it is', () => {
  const passive = Uint8Array.of(
    ...moduleOf([]).subarray(0, 8),
    ...section(5, [1, 0, 1]),
    ...section(11, [1, 1, 1, 7]),
  );
  for (const bytes of [passive, moduleOf([]).subarray(0, 8)]) assert.equal(mergeData(bytes), bytes);
});
