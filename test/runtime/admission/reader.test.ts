import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Reader } from '../../../runtime/admission/scan/reader.js';
import { SluiceError } from '../../../runtime/index.js';

const read = <T>(bytes: readonly number[], how: (reader: Reader) => T): { value: T; length: number } => {
  const reader = new Reader(Uint8Array.from([0xff, ...bytes, 0xff]), 1, 1 + bytes.length);
  return { value: how(reader), length: reader.at - 1 };
};
const refused = (bytes: readonly number[], how: (reader: Reader) => unknown, words: RegExp): void =>
  assert.throws(
    () => read(bytes, how),
    (error: unknown) =>
      error instanceof SluiceError && error.code === 'SLUICE_MODULE_MALFORMED' && words.test(error.message),
    `${bytes}`,
  );

/** A LEB128 with `extra` bytes more than it needs. */
function signed(value: bigint, extra = 0): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 0x7fn);
    const done = (rest >> 6n === 0n || rest >> 6n === -1n) && extra-- <= 0;
    out.push(done ? byte : byte | 0x80);
    if (done) return out;
  }
}
function unsigned(value: bigint, extra = 0): number[] {
  const out: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const done = rest >> 7n === 0n && extra-- <= 0;
    out.push(Number(rest & 0x7fn) | (done ? 0 : 0x80));
    if (done) return out;
  }
}

type Kind = readonly [
  name: string,
  min: bigint,
  max: bigint,
  longest: number,
  encode: typeof signed,
  how: (reader: Reader) => bigint,
];
const KINDS: readonly Kind[] = [
  ['u32', 0n, 2n ** 32n - 1n, 5, unsigned, reader => BigInt(reader.u32())],
  ['s32', -(2n ** 31n), 2n ** 31n - 1n, 5, signed, reader => BigInt(reader.s32())],
  ['s33', -(2n ** 32n), 2n ** 32n - 1n, 5, signed, reader => BigInt(reader.s33())],
  ['s64', -(2n ** 63n), 2n ** 63n - 1n, 10, signed, reader => reader.s64()],
  // As a number: exact up to 2^53.
  ['u64', 0n, 2n ** 53n, 10, unsigned, reader => BigInt(reader.u64())],
];

for (const [name, min, max, longest, encode, how] of KINDS) {
  test(`${name}: every value reads back, in its shortest form and with as many bytes as are allowed`, () => {
    const values = fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n, 63n, 64n, 127n, 128n));
    fc.assert(
      fc.property(values, fc.nat(9), (value, extra) => {
        const shortest = encode(value);
        const bytes = encode(value, Math.min(extra, longest - shortest.length));
        assert.ok(bytes.length <= longest);
        assert.deepEqual(read(bytes, how), { value, length: bytes.length });
      }),
    );
  });

  test(`${name}: too long, beyond its bits or cut off is refused with the byte`, () => {
    refused(encode(0n, longest), how, /^at byte 1: an integer does not fit/);
    const beyond = name === 'u64' ? 2n ** 64n : max + 1n;
    refused(encode(beyond), how, /^at byte 1: an integer does not fit/);
    if (min < 0n) refused(encode(min - 1n), how, /^at byte 1: an integer does not fit/);
    for (let length = 0; length < longest; length++) {
      refused(new Array<number>(length).fill(0x80), how, /^at byte 1: an integer is cut off/);
    }
  });
}

test('the last byte of an integer has no bits that are not of its value', () => {
  const four = [0x80, 0x80, 0x80, 0x80];
  for (let byte = 0; byte < 0x80; byte++) {
    const check = (allowed: boolean, how: (reader: Reader) => unknown): void => {
      if (allowed) read([...four, byte], how);
      else refused([...four, byte], how, /does not fit/);
    };
    check(byte < 0x10, reader => reader.u32());
    check(byte < 0x08 || byte >= 0x78, reader => reader.s32());
    check(byte < 0x10 || byte >= 0x70, reader => reader.s33());
    const nine = [...four, ...four, 0x80];
    if (byte < 2) read([...nine, byte], reader => reader.u64());
    else refused([...nine, byte], reader => reader.u64(), /does not fit 64/);
    if (byte === 0 || byte === 0x7f) read([...nine, byte], reader => reader.s64());
    else refused([...nine, byte], reader => reader.s64(), /does not fit 64/);
  }
});

test('nothing is read beyond the end, though the file goes on', () => {
  refused([], reader => reader.byte(), /^at byte 1: cut off/);
  refused([], reader => reader.peek(), /cut off/);
  refused([1, 2], reader => reader.skip(3), /cut off/);
  refused([3, 65, 66], reader => reader.name(), /3 bytes of a name in 2 bytes/);
});

test('a list that cannot fit its bytes is refused before it is read, one beyond its ceiling with its own code', () => {
  refused([5, 0, 0], reader => reader.count(100, 'types'), /^at byte 1: 5 types in 2 bytes/);
  assert.throws(() => read([101], reader => reader.count(100, 'types')), {
    code: 'SLUICE_MODULE_CEILING',
    message: 'at byte 1: 101 types, the ceiling is 100, which no policy raises',
  });
});

test('names are UTF-8, also in memory that threads share', () => {
  assert.equal(read([2, 0xc3, 0xa4], reader => reader.name()).value, 'ä');
  assert.equal(read([3, 0xef, 0xbb, 0xbf], reader => reader.name()).value, '\ufeff');
  refused([2, 0xc3, 0x28], reader => reader.name(), /^at byte 1: a name is not UTF-8/);
  const shared = new Uint8Array(new SharedArrayBuffer(2));
  shared.set([1, 65]);
  assert.equal(new Reader(shared, 0, 2).name(), 'A');
});
