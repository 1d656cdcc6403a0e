// Texts and bytes: an address and a length in one number, as the Canonical ABI stores them.
import { allocate, begin, call, ensure, finish, inArena, keep } from "./arena";

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

/** A literal as UTF-8 text, kept for life. For constants at the top of a file. */
export function text(literal: string): Text {
  const units = literal.length;
  const at = keep(<u32>units * 3);
  let p = at;
  for (let i = 0; i < units; i++) {
    const point = <u32>literal.codePointAt(i);
    if (point < 0x80) {
      store<u8>(p++, point);
    } else if (point < 0x800) {
      store<u8>(p++, 0xc0 | (point >> 6));
      store<u8>(p++, 0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      store<u8>(p++, 0xe0 | (point >> 12));
      store<u8>(p++, 0x80 | ((point >> 6) & 0x3f));
      store<u8>(p++, 0x80 | (point & 0x3f));
    } else {
      // A surrogate pair: two units of UTF-16, four bytes of UTF-8.
      i++;
      store<u8>(p++, 0xf0 | (point >> 18));
      store<u8>(p++, 0x80 | ((point >> 12) & 0x3f));
      store<u8>(p++, 0x80 | ((point >> 6) & 0x3f));
      store<u8>(p++, 0x80 | (point & 0x3f));
    }
  }
  return textOf(at, <u32>(p - at));
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
  return lengthOf(text) == 0 || inArena(addressOf(text)) ? text : copyIn(text);
}

function copyIn(text: Text): Text {
  // The bytes are compared, since a plugin may write anew to memory of its own.
  if (lentCall != call || !equals(lent, text)) {
    const at = allocate(lengthOf(text), 1);
    memory.copy(at, addressOf(text), lengthOf(text));
    lentCall = call;
    lent = textOf(at, lengthOf(text));
  }
  return lent;
}

export function equals(a: Text, b: Text): bool {
  const length = lengthOf(a);
  return length == lengthOf(b) && memory.compare(addressOf(a), addressOf(b), length) == 0;
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
  return bswap<u16>(load<u16>(addressOf(text) + i));
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

/** A text as JSON string, quotes included. */
export function putJson(p: usize, text: Text): usize {
  const length = lengthOf(text);
  ensure(p, length * 6 + 2);
  store<u8>(p++, 0x22);
  for (let i: u32 = 0; i < length; i++) {
    const c = byteAt(text, i);
    if (c >= 0x20) {
      if (c == 0x22 || c == 0x5c) store<u8>(p++, 0x5c);
      store<u8>(p++, c);
    } else {
      store<u32>(p, 0x3030755c); // \u00
      store<u8>(p + 4, 0x30 + (c >> 4));
      store<u8>(p + 5, (c & 15) + ((c & 15) < 10 ? 0x30 : 0x57));
      p += 6;
    }
  }
  store<u8>(p, 0x22);
  return p + 1;
}
