// Numbers as decimal text. The rule is the same in every SDK, bit by bit: see ../README.md.
import { ensure } from "./arena";

/** Two digits of v < 100 as they lie in memory; v * 103 >> 10 is v / 10 there. */
// @ts-ignore: decorator
@inline
function pair(v: u32): u32 {
  const tens = (v * 103) >> 10;
  return 0x3030 + tens + ((v - tens * 10) << 8);
}

/** Four digits of v < 10000: as `pair`, the upper two and the lower two at once. */
// @ts-ignore: decorator
@inline
function quad(v: u32): u32 {
  const upper = v / 100;
  const both = upper | ((v - upper * 100) << 16);
  const tens = ((both * 103) >> 10) & 0x000f000f;
  return 0x30303030 + tens + ((both - tens * 10) << 8);
}

export function putU32(p: usize, v: u32): usize {
  ensure(p, 12);
  if (v > 9999) {
    const upper = v / 10000;
    v -= upper * 10000;
    p = upper > 9999 ? putLong(p, upper) : putShort(p, upper);
    store<u32>(p, quad(v));
    return p + 4;
  }
  return putShort(p, v);
}

/**
 * v < 65536, for long lists of registers. Branches by size, as the digits of a register seldom change in
 * number. Make room first: `ensure(p, 5)`, or once for a whole list.
 */
// @ts-ignore: decorator
@inline
export function putU16(p: usize, v: u32): usize {
  if (v > 999) {
    if (v > 9999) {
      const upper = v / 10000;
      store<u8>(p++, 0x30 + upper);
      v -= upper * 10000;
    }
    store<u32>(p, quad(v));
    return p + 4;
  }
  if (v > 9) {
    if (v > 99) {
      const upper = v / 100;
      store<u8>(p++, 0x30 + upper);
      v -= upper * 100;
    }
    store<u16>(p, pair(v));
    return p + 2;
  }
  store<u8>(p, 0x30 + v);
  return p + 1;
}

/** v < 10000, without leading zeros: all four digits, moved over the zeros. */
// @ts-ignore: decorator
@inline
function putShort(p: usize, v: u32): usize {
  const digits = 1 + u32(v > 9) + u32(v > 99) + u32(v > 999);
  store<u32>(p, quad(v) >> ((4 - digits) << 3));
  return p + digits;
}

/** 10000 <= v < 430000. */
function putLong(p: usize, v: u32): usize {
  const upper = v / 10000;
  p = putShort(p, upper);
  store<u32>(p, quad(v - upper * 10000));
  return p + 4;
}

export function putU64(p: usize, v: u64): usize {
  ensure(p, SCRATCH);
  const end = p + SCRATCH;
  const digits = digitsBefore(end, v);
  const count = end - digits;
  for (let i: usize = 0; i < count; i += 8) store<u64>(p + i, load<u64>(digits + i));
  return p + count;
}

/** The digits of v, the last one in front of `end`: up to 20. Returns where the first one is. */
function digitsBefore(end: usize, v: u64): usize {
  do {
    const tens = v / 10;
    store<u8>(--end, 0x30 + <u32>(v - tens * 10));
    v = tens;
  } while (v > 0);
  return end;
}

export function putI64(p: usize, v: i64): usize {
  if (v >= 0) return putU64(p, v);
  ensure(p, 1);
  store<u8>(p, 0x2d);
  return putU64(p + 1, 0 - v);
}

/** a * 10^k, in the one order of operations that every SDK uses. */
export function scaleByTen(a: f64, k: i32): f64 {
  for (; k > 22; k -= 22) a *= 1e22;
  for (; k < -22; k += 22) a /= 1e22;
  // 10^|k| up to 10^22: each partial product is a power of ten that a double holds exactly.
  let ten: f64 = 1;
  let factor: f64 = 10;
  for (let bits = k < 0 ? -k : k; bits > 0; bits >>= 1) {
    if (bits & 1) ten *= factor;
    factor *= factor;
  }
  return k < 0 ? a / ten : a * ten;
}

/** True for a number that JSON can hold. */
// @ts-ignore: decorator
@inline
export function isNumber(v: f64): bool {
  return v - v == 0;
}

/** `value` rounded to `significant` digits, 1 to 17. NaN and infinities become null. */
export function putF64(p: usize, value: f64, significant: i32): usize {
  ensure(p, 4);
  if (!isNumber(value)) {
    store<u32>(p, 0x6c6c756e); // null
    return p + 4;
  }
  if (value < 0) {
    store<u8>(p++, 0x2d);
    value = -value;
  }
  let exponent = 0;
  if (value < 2.2250738585072014e-308) {
    value *= 1e22;
    exponent = -22;
  }
  // The power of ten of the last digit, with floor(log10(value)) from the binary exponent: one too low at times.
  let last = (((<i32>(reinterpret<u64>(value) >> 52) - 1023) * 78913) >> 18) + 1 - significant;
  let scaled = scaleByTen(value, -last);
  if (scaled + 0.5 >= scaleByTen(1, significant)) scaled = scaleByTen(value, -++last);
  return putDecimal(p, <u64>(scaled + 0.5), last + exponent);
}

/** Digits are written that far on, where the text cannot reach before they are read. */
const SCRATCH: usize = 64;

/** n * 10^exponent, laid out as ECMA-262, Number::toString does it; all digits of n count. */
export function putDecimal(p: usize, n: u64, exponent: i32): usize {
  ensure(p, SCRATCH);
  const digits = digitsBefore(p + SCRATCH, n);
  let count = <i32>(p + SCRATCH - digits);
  // Digits in front of the point; a 0 counts there whatever its exponent.
  let point = n == 0 ? 1 : count + exponent;
  while (count > 1 && load<u8>(digits + count - 1) == 0x30) count--;
  const power = point - 1;
  const scientific = point > 21 || point < -5;
  if (scientific) point = 1;
  const end = max(count, point);
  for (let i = min(point - 1, 0); i < end; i++) {
    if (i == point) store<u8>(p++, 0x2e);
    store<u8>(p++, <u32>i < <u32>count ? load<u8>(digits + i) : 0x30);
  }
  if (!scientific) return p;
  store<u8>(p, 0x65);
  store<u8>(p, power < 0 ? 0x2d : 0x2b, 1);
  return putU64(p + 2, power < 0 ? -power : power);
}
