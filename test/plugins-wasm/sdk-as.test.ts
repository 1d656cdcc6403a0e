import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileAs, TextGuest } from '../support/chain/as-guest.js';
import { anyText } from '../support/fuzz/any-text.js';

const guest = new TextGuest(
  await compileAs(`
    import {
      allocate, endText, Json, keep, Kind, lend, put, putByte, putDecimal, putF64, putFilled, putI64, putJson, putU16, putU32,
      putU64, ensure, startText, Text, text, textOf,
    } from "sluice/as";
    export { sluice_arena } from "sluice/as";
    export function f64Text(v: f64, significant: i32): Text { return endText(putF64(startText(), v, significant)); }
    export function u64Text(v: u64): Text { return endText(putU64(startText(), v)); }
    export function i64Text(v: i64): Text { return endText(putI64(startText(), v)); }
    export function u32Text(v: u32): Text { return endText(putU32(startText(), v)); }
    export function u16Text(v: u32): Text { const p = startText(); ensure(p, 5); return endText(putU16(p, v)); }
    export function decimal(n: u64, exponent: i32): Text { return endText(putDecimal(startText(), n, exponent)); }
    export function json(at: usize, length: u32): Text { return endText(putJson(startText(), textOf(at, length))); }
    export function filled(x: u64, y: u64): Text { return endText(putFilled(startText(), text("a # b # c"), x, y)); }

    const own: usize = keep(128);
    /** Lends text of the plugin's own memory twice, changed or not: both texts, and how far apart they lie. */
    export function lent(at: usize, length: u32, change: u32): Text {
      memory.copy(own, at, length);
      const first = lend(textOf(own, length));
      if (change < length) store<u8>(own + change, load<u8>(own + change) ^ 1);
      const second = lend(textOf(own, length));
      return endText(putU32(putByte(put(put(startText(), first), second), 0x20), <u32>second - <u32>first));
    }

    /** The same text in every call, lent ahead of other results. */
    export function early(fill: u32): Text {
      const t = lend(text("the same"));
      memory.fill(allocate(64, 1), <u8>fill, 64);
      return t;
    }

    /** Reads one value of JSON and writes it anew. */
    export function again(at: usize, length: u32): Text {
      // Strings are allocated while this is written: it lies far behind them.
      Json.open(textOf(at, length));
      const room = allocate(length * 8 + 64, 8);
      const p = value(room);
      return Json.failed() ? text("failed") : textOf(room, <u32>(p - room));
    }
    function value(p: usize): usize {
      const kind = Json.kind();
      if (kind == Kind.Object || kind == Kind.Array) {
        Json.enter();
        store<u8>(p++, kind == Kind.Object ? 0x7b : 0x5b);
        let first = true;
        while (Json.more()) {
          if (!first) store<u8>(p++, 0x2c);
          first = false;
          if (kind == Kind.Object) { p = copy(p, Json.key()); store<u8>(p++, 0x3a); }
          p = value(p);
        }
        store<u8>(p++, kind == Kind.Object ? 0x7d : 0x5d);
        return p;
      }
      if (kind == Kind.String) return copy(p, Json.string());
      if (kind == Kind.Number) return copyRaw(p, endText(putF64(startText(), Json.number(), 15)));
      Json.skip();
      return copyRaw(p, kind == Kind.True ? text("true") : kind == Kind.False ? text("false") : text("null"));
    }
    function copy(p: usize, t: Text): usize { return copyRaw(p, endText(putJson(startText(), t))); }
    function copyRaw(p: usize, t: Text): usize {
      memory.copy(p, <usize>(<u32>t), <u32>(t >>> 32));
      return p + <u32>(t >>> 32);
    }
  `),
);

const said = (name: string, ...args: (number | bigint)[]): string => guest.call(name, args).toString();
const U64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
/** Numbers next to powers of ten, where the count of digits changes. */
const EDGES = fc
  .tuple(fc.nat(19), fc.integer({ min: -1, max: 1 }))
  .map(([k, d]) => BigInt.asUintN(64, 10n ** BigInt(k) + BigInt(d)));

test('whole numbers are written exactly', () => {
  fc.assert(
    fc.property(fc.oneof(U64, EDGES), v => {
      assert.equal(said('u64Text', v), String(v));
      assert.equal(said('i64Text', v), String(BigInt.asIntN(64, v)));
      assert.equal(said('u32Text', Number(BigInt.asIntN(32, v))), String(BigInt.asUintN(32, v)));
    }),
  );
  for (let v = 0; v < 65536; v++) assert.equal(said('u16Text', v), String(v));
});

test('a 32-bit float is written with the nearest seven digits, as JavaScript lays numbers out', () => {
  const floats = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(floats, v => {
      assert.equal(said('f64Text', v, 7), String(Number(v.toPrecision(7)) + 0));
    }),
    { numRuns: 2000 },
  );
});

test('a number of up to fifteen digits comes out as it was', () => {
  const decimals = fc.tuple(
    fc.integer({ min: -(10 ** 15) + 1, max: 10 ** 15 - 1 }),
    fc.integer({ min: -8, max: 21 }),
  );
  fc.assert(
    fc.property(decimals, ([digits, power]) => {
      const v = Number(`${digits}e${power}`);
      assert.equal(said('f64Text', v, 15), String(v + 0));
    }),
    { numRuns: 2000 },
  );
});

test('NaN and infinities are null, and -0 is 0', () => {
  assert.deepEqual(
    [Number.NaN, Infinity, -Infinity, -0].map(v => said('f64Text', v, 15)),
    ['null', 'null', 'null', '0'],
  );
});

test('putDecimal is exact beyond what a double holds', () => {
  assert.equal(said('decimal', 1_700_000_000_123_456_789n, -6), '1700000000123.456789');
  assert.equal(said('decimal', 1_700_000_000_000_000_000n, -6), '1700000000000');
  assert.equal(said('decimal', 0n, -6), '0');
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: -40, max: 40 }), (n, exponent) => {
      assert.equal(said('decimal', n, exponent), String(Number(`${n}e${exponent}`)));
    }),
  );
});

test('putFilled puts its numbers for the marks, in their order', () => {
  assert.equal(said('filled', 7n, 2n ** 64n - 1n), 'a 7 b 18446744073709551615 c');
});

test('putJson writes what JSON.stringify writes', () => {
  fc.assert(
    fc.property(anyText(), text => {
      const escaped = JSON.stringify(text).replace(/\\([nrtbf])/g, (_, c: string) => ESCAPES[c]!);
      assert.equal(guest.call('json', [], Buffer.from(text)).toString(), escaped);
    }),
  );
});
const ESCAPES: Record<string, string> = {
  n: '\\u000a',
  r: '\\u000d',
  t: '\\u0009',
  b: '\\u0008',
  f: '\\u000c',
};

test('what is lent is copied once a call, and again when it has changed', () => {
  const input = fc.uint8Array({ minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(input, fc.nat(200), (bytes, change) => {
      const second = bytes.map((byte, i) => (i === change ? byte ^ 1 : byte));
      const text = guest.call('lent', [change], bytes);
      assert.deepEqual(text.subarray(0, bytes.length * 2), Buffer.concat([bytes, second]));
      assert.equal(text.subarray(bytes.length * 2).toString() === ' 0', change >= bytes.length);
    }),
  );
});

test('what was lent in another call is lent anew', () => {
  assert.deepEqual(
    [1, 2, 3].map(fill => said('early', fill)),
    ['the same', 'the same', 'the same'],
  );
});

test('Json reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }).map(short), value => {
      const read = guest.call('again', [], Buffer.from(JSON.stringify(value))).toString();
      assert.deepEqual(JSON.parse(read), value);
    }),
  );
});

test('Json unescapes every character', () => {
  fc.assert(
    fc.property(anyText(), text => {
      const escaped = [...text].map(c =>
        [...Array(c.length).keys()].map(i => `\\u${hex(c.charCodeAt(i))}`).join(''),
      );
      const read = guest.call('again', [], Buffer.from(`"${escaped.join('')}"`)).toString();
      assert.equal(JSON.parse(read), text);
    }),
  );
});

test('Json fails on text that ends too early, whatever it is', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, at) => {
      const whole = `[${text}]`;
      const cut = Buffer.from(whole).subarray(0, at % Buffer.byteLength(whole));
      assert.equal(guest.call('again', [], cut).toString(), 'failed');
    }),
  );
});

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}

/** The value with numbers of few digits, which come out as they went in. */
function short(value: unknown): unknown {
  if (typeof value === 'number') return Math.round((value % 1e6) * 100) / 100 + 0;
  if (Array.isArray(value)) return value.map(short);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, short(each)]));
}
