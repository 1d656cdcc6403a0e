// Texts and bytes: an address and a length in one number, as the Canonical ABI stores them.
import { begin, call, ensure, finish, inArena, keep } from "./arena";
import { putU64 } from "./number";

/** Low half: address, high half: length in bytes. */
export type Text = u64;

// @ts-ignore: decorator
@inline
export function textOf(at: usize, length: u32): Text {
  return (<u64>length << 32) | <u64>at;
}

// @ts-ignore: decorator
@inline
export function addressOf(text: Text): usize {
  return <usize>(<u32>text);
}

// @ts-ignore: decorator
@inline
export function lengthOf(text: Text): u32 {
  return <u32>(text >>> 32);
}

/**
 * A literal as UTF-8 text, for life. `text("...")` costs nothing when it runs, wherever it stands: the build lays its
 * bytes into the module and puts their place here (scripts/wasm/text-literals.ts). What is no literal is copied, with
 * `keep`: for constants at the top of a file.
 */
export function text(literal: string): Text {
  const units = literal.length;
  const at = keep(<u32>units * 3);
  let p = at;
  for (let i = 0; i < units; i++) {
    const point = <u32>literal.codePointAt(i);
    p = putPoint(p, point);
    // A surrogate pair: two units of UTF-16.
    if (point > 0xffff) i++;
  }
  return textOf(at, <u32>(p - at));
}

/** One character in UTF-8 (RFC 3629, section 3), without a check for room: up to four bytes. */
export function putPoint(p: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(p, point);
    return p + 1;
  }
  let more = point < 0x800 ? 6 : point < 0x10000 ? 12 : 18;
  store<u8>(p, (-128 >> (more / 6)) | (point >> more));
  do {
    more -= 6;
    store<u8>(++p, 0x80 | ((point >> more) & 0x3f));
  } while (more > 0);
  return p + 1;
}

/** A copy for life, of something that lies in the arena. */
export function keepText(text: Text): Text {
  const length = lengthOf(text);
  const at = keep(length);
  memory.copy(at, addressOf(text), length);
  return textOf(at, length);
}

let lentCall: u32 = 0;
let lent: Text = 0;

/** The text, copied to where results have to lie unless it lies there. A constant is copied once a call. */
// @ts-ignore: decorator
@inline
export function lend(text: Text): Text {
  return inArena(addressOf(text)) ? text : copyIn(text);
}

function copyIn(text: Text): Text {
  const length = lengthOf(text), from = addressOf(text);
  if (length == 0) return text;
  if (lentCall == call && lengthOf(lent) == length) {
    // The bytes are compared, since a plugin may write anew to memory of its own. By eights, as they were copied.
    const to = addressOf(lent);
    let i: u32 = 0;
    while (i < length && load<u64>(from + i) == load<u64>(to + i)) i += 8;
    if (i >= length) return lent;
  }
  lentCall = call;
  lent = textOf(finish(put(begin(), textOf(from, (length + 7) & ~7))), length);
  return lent;
}

export function equals(a: Text, b: Text): bool {
  const length = lengthOf(a);
  if (length != lengthOf(b)) return false;
  for (let i: u32 = 0; i < length; i++) if (byteAt(a, i) != byteAt(b, i)) return false;
  return true;
}

/** Byte `i`, without a check. */
// @ts-ignore: decorator
@inline
export function byteAt(text: Text, i: u32): u32 {
  return load<u8>(addressOf(text) + i);
}

/** Big-endian 16 bits at byte `i`, without a check. */
// @ts-ignore: decorator
@inline
export function u16At(text: Text, i: u32): u32 {
  return (byteAt(text, i) << 8) | byteAt(text, i + 1);
}

// ---- Writing: p = startText(); p = put(p, ...); const text = endText(p); ----

// @ts-ignore: decorator
@inline
export function startText(): usize {
  return begin();
}

// @ts-ignore: decorator
@inline
export function endText(p: usize): Text {
  const start = finish(p);
  return textOf(start, <u32>(p - start));
}

export function put(p: usize, text: Text): usize {
  let n = lengthOf(text);
  ensure(p, n + 8);
  // By eights, writing up to seven bytes too many that come next anyway: short texts are the rule, and
  // the memory.copy instruction costs a call.
  if (n > 64) {
    memory.copy(p, addressOf(text), n);
  } else {
    const from = addressOf(text);
    for (let i: u32 = 0; i < n; i += 8) store<u64>(p + i, load<u64>(from + i));
  }
  return p + n;
}

export function putByte(p: usize, byte: u32): usize {
  ensure(p, 1);
  store<u8>(p, byte);
  return p + 1;
}

/** A text in which `#` stands for `x`, and for `y` the second time. */
export function putFilled(p: usize, pattern: Text, x: u64 = 0, y: u64 = 0): usize {
  for (let i: u32 = 0; i < lengthOf(pattern); i++) {
    const c = byteAt(pattern, i);
    if (c != 0x23) {
      p = putByte(p, c);
    } else {
      p = putU64(p, x);
      x = y;
    }
  }
  return p;
}

/** A text as JSON string, quotes included. */
export function putJson(p: usize, text: Text): usize {
  const length = lengthOf(text);
  ensure(p, length * 6 + 2);
  store<u8>(p++, 0x22);
  for (let i: u32 = 0; i < length; i++) {
    const c = byteAt(text, i);
    if (c < 0x20) {
      store<u32>(p, 0x3030755c); // \u00
      store<u8>(p, 0x30 + (c >> 4), 4);
      store<u8>(p, (c & 15) + ((c & 15) < 10 ? 0x30 : 0x57), 5);
      p += 6;
    } else {
      if (c == 0x22 || c == 0x5c) store<u8>(p++, 0x5c);
      store<u8>(p++, c);
    }
  }
  store<u8>(p, 0x22);
  return p + 1;
}
