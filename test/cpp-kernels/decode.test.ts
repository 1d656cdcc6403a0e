import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, NUMBER_TYPES, numberSize, ORDERS } from '../../cpp-kernels/reference/decode.js';
import { ERRNO, onBoth } from './library.js';

/** The bits of floats; those of a double's NaN are always the same ones. */
function bitsOf(values: Float32Array): number[] {
  return [...new Uint32Array(values.slice().buffer)];
}

for (const type of NUMBER_TYPES) {
  for (const order of ORDERS) {
    test(`${type} in the order ${order} is the float next to it, wherever and however far apart it lies`, () => {
      const size = numberSize(type);
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 400, size: 'max' }),
          fc.nat({ max: 15 }),
          fc.nat({ max: 5 }),
          (bytes, off, gap) => {
            const stride = size + gap;
            const count = bytes.length < size ? 0 : Math.floor((bytes.length - size) / stride) + 1;
            const results = onBoth(library => {
              const from = library.put(bytes, off);
              const out = library.room(count * 4, off % 4 === 0 ? off : 0);
              library.run(
                'decode',
                from,
                count,
                stride,
                NUMBER_TYPES.indexOf(type),
                ORDERS.indexOf(order),
                out,
              );
              return library.floats(out);
            });
            assert.deepEqual(bitsOf(results), expected(bytes, count, stride, type, order));
          },
        ),
        { numRuns: 60, seed: 11 },
      );
    });
  }
}

/** JavaScript may change the bits of a NaN on its way through a number: of f32 they are read as they are. */
function expected(
  bytes: Uint8Array,
  count: number,
  stride: number,
  type: (typeof NUMBER_TYPES)[number],
  order: (typeof ORDERS)[number],
): number[] {
  const values = decode(bytes, count, stride, type, order);
  const bits = bitsOf(values);
  if (type !== 'f32') return bits.map((word, i) => (Number.isNaN(values[i] as number) ? 0x7fc00000 : word));
  const words = decode32(bytes, count, stride, order);
  return bits.map((word, i) => (Number.isNaN(values[i] as number) ? (words[i] as number) : word));
}

function decode32(
  bytes: Uint8Array,
  count: number,
  stride: number,
  order: (typeof ORDERS)[number],
): number[] {
  const places = { abcd: [0, 1, 2, 3], cdab: [2, 3, 0, 1], badc: [1, 0, 3, 2], dcba: [3, 2, 1, 0] }[order];
  return Array.from({ length: count }, (_, i) =>
    places.reduce((word, place) => ((word << 8) | (bytes[i * stride + place] ?? 0)) >>> 0, 0),
  );
}

test('whole numbers that no float holds are rounded to the nearest even one', () => {
  const words = [0xffffffff, 0x80000000, 0x01000001, 0x01000003, 0x7fffffff, 0xfeffff80, 0xfeffff81];
  const bytes = new Uint8Array(words.length * 4);
  words.forEach((word, i) => {
    new DataView(bytes.buffer).setUint32(i * 4, word);
  });
  for (const [type, whole] of [
    [2, (word: number) => word],
    [3, (word: number) => word | 0],
  ] as const) {
    const results = onBoth(library => {
      const out = library.room(words.length * 4);
      library.run('decode', library.put(bytes), words.length, 4, type, 0, out);
      return library.floats(out);
    });
    assert.deepEqual(
      [...results],
      words.map(word => Math.fround(whole(word))),
    );
  }
});

test('a type, an order or a stride that there is not is EINVAL', () => {
  onBoth(library => {
    const from = library.put(new Uint8Array(64));
    const out = library.room(64);
    const answers = [
      [6, 0, 8],
      [0, 4, 2],
      [2, 0, 3],
      [5, 0, 7],
      [0, 0, 0],
    ].map(([type = 0, order = 0, stride = 0]) => library.call('decode', from, 4, stride, type, order, out));
    assert.deepEqual(
      answers,
      answers.map(() => ERRNO.EINVAL),
    );
    assert.ok(library.bytes(out).every(byte => byte === 0xee));
  });
});
