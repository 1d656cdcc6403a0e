// Numbers as decimal text. The rule is the same in every SDK, bit by bit: see ../README.md.
import { ensure } from "./arena";

/** Two digits of v < 100 as they lie in memory; v * 103 >> 10 is v / 10 there. */
// @ts-ignore: decorator
@inline
function pair(v: u32): u32 {
  const tens = (v * 103) >> 10;
  return 0x3030 + tens + ((v - tens * 10) << 8);
}

/** Four digits of v < 10000. */
// @ts-ignore: decorator
@inline
function quad(v: u32): u32 {
  const upper = v / 100;
  return pair(upper) | (pair(v - upper * 100) << 16);
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
  if (v > 9999) {
    const upper = v / 10000;
    store<u8>(p, 0x30 + upper);
    store<u32>(p, quad(v - upper * 10000), 1);
    return p + 5;
  }
  if (v > 999) {
    store<u32>(p, quad(v));
    return p + 4;
  }
  if (v > 99) {
    const upper = v / 100;
    store<u8>(p, 0x30 + upper);
    store<u16>(p, pair(v - upper * 100), 1);
    return p + 3;
  }
  if (v > 9) {
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
  ensure(p, 20);
  let end = p + 1;
  for (let rest = v / 10; rest > 0; rest /= 10) end++;
  p = end;
  do {
    store<u8>(--p, 0x30 + <u32>(v % 10));
    v /= 10;
  } while (v > 0);
  return end;
}

export function putI64(p: usize, v: i64): usize {
  if (v >= 0) return putU64(p, v);
  ensure(p, 1);
  store<u8>(p, 0x2d);
  return putU64(p + 1, 0 - v);
}

/** 10^k for k = 0 to 22: exact as double. */
const TENS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]);

// @ts-ignore: decorator
@inline
function ten(k: i32): f64 {
  return load<f64>(TENS + (<usize>k << 3));
}

/** a * 10^k, in the one order of operations that every SDK uses. */
export function scaleByTen(a: f64, k: i32): f64 {
  for (; k > 22; k -= 22) a *= 1e22;
  for (; k < -22; k += 22) a /= 1e22;
  return k < 0 ? a / ten(-k) : a * ten(k);
}

/** True for a number that JSON can hold. */
// @ts-ignore: decorator
@inline
export function isNumber(v: f64): bool {
  return v - v == 0;
}

/** `value` rounded to `significant` digits, 1 to 17. NaN and infinities become null. */
export function putF64(p: usize, value: f64, significant: i32): usize {
  ensure(p, 40);
  if (!isNumber(value)) {
    store<u32>(p, 0x6c6c756e); // null
    return p + 4;
  }
  if (value == 0) {
    store<u8>(p, 0x30);
    return p + 1;
  }
  if (value < 0) {
    store<u8>(p++, 0x2d);
    value = -value;
  }
  let lift = 0;
  if (value < 2.2250738585072014e-308) {
    value *= 1e22;
    lift = 22;
  }
  // floor(log10(value)) from the binary exponent, one too low at times.
  let exponent = ((<i32>(reinterpret<u64>(value) >> 52) - 1023) * 78913) >> 18;
  let scaled = scaleByTen(value, significant - 1 - exponent);
  if (scaled + 0.5 >= ten(significant)) {
    exponent++;
    scaled = scaleByTen(value, significant - 1 - exponent);
  }
  let n = <u64>(scaled + 0.5);
  let length = significant;
  while (length > 1 && n % 10 == 0) {
    n /= 10;
    length--;
  }
  return layOut(p, n, length, exponent - lift);
}

/** n, which has `length` digits, with its first digit at 10^exponent. As ECMA-262 Number::toString. */
function layOut(p: usize, n: u64, length: i32, exponent: i32): usize {
  const point = exponent + 1;
  if (point > 21 || point < -5) {
    // One place further, then the first digit moves in front of the point.
    const end = putU64(p + 1, n);
    store<u8>(p, load<u8>(p + 1));
    store<u8>(p + 1, 0x2e);
    p = length > 1 ? end : p + 1;
    store<u8>(p, 0x65);
    store<u8>(p + 1, exponent < 0 ? 0x2d : 0x2b);
    return putU64(p + 2, exponent < 0 ? -exponent : exponent);
  }
  if (point <= 0) {
    store<u16>(p, 0x2e30); // 0.
    p += 2;
    for (let i = point; i < 0; i++) store<u8>(p++, 0x30);
    return putU64(p, n);
  }
  const end = putU64(p, n);
  if (point < length) {
    memory.copy(p + point + 1, p + point, length - point);
    store<u8>(p + point, 0x2e);
    return end + 1;
  }
  p = end;
  for (let i = length; i < point; i++) store<u8>(p++, 0x30);
  return p;
}
