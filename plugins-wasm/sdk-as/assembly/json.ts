// A pull reader for JSON (RFC 8259) in raw memory: enough for a plugin's configuration. It never reads
// outside of the text and never recurses; after the first mistake `failed` stays true and all calls end at once.
import { ensure } from "./arena";
import { scaleByTen } from "./number";
import { addressOf, byteAt, endText, lengthOf, putPoint, startText, Text, text } from "./text";

export const enum Kind {
  None,
  Object,
  Array,
  String,
  Number,
  True,
  False,
  Null,
}

let at: usize = 0;
let end: usize = 0;
let start: usize = 0;
let bad: bool = false;

export namespace Json {
  export function open(json: Text): void {
    start = at = addressOf(json);
    end = at + lengthOf(json);
    bad = false;
  }

  /** True once something was not as JSON, or as the caller asked, has it. */
  export function failed(): bool {
    return bad;
  }

  /** Byte at which reading stands. */
  export function position(): u32 {
    return <u32>(at - start);
  }

  /** What comes next, without moving. */
  export function kind(): Kind {
    const c = peek();
    if (c - 0x30 < 10) return Kind.Number;
    // In the order of Kind; a minus begins a number.
    const first = text('{["-tfn');
    for (let i: u32 = 0; i < 7; i++) if (byteAt(first, i) == c) return i + 1;
    return Kind.None;
  }

  /** Steps into an object or array. */
  export function enter(): void {
    const c = peek();
    if (c == 0x7b || c == 0x5b) at++;
    else bad = true;
  }

  /** At the next member or item? False behind the last one, which also leaves the object or array. */
  export function more(): bool {
    let c = peek();
    if (c == 0x2c) {
      at++;
      c = peek();
    }
    if (bad || at >= end) {
      bad = true;
      return false;
    }
    if (c != 0x7d && c != 0x5d) return true;
    at++;
    return false;
  }

  /** The key of a member; its value comes next. */
  export function key(): Text {
    const name = string();
    if (peek() == 0x3a) at++;
    else bad = true;
    return name;
  }

  /** A string, unescaped, in memory that lives as long as the call. */
  export function string(): Text {
    if (peek() != 0x22) return fail();
    const open = ++at;
    let p = startText();
    ensure(p, <u32>(end - at));
    while (at < end) {
      const c: u32 = load<u8>(at++);
      if (c == 0x22) return endText(p);
      if (c != 0x5c) store<u8>(p++, c);
      else p = escape(p);
    }
    at = open;
    return fail();
  }

  export function number(): f64 {
    const negative = peek() == 0x2d;
    if (negative) at++;
    let mantissa: u64 = 0;
    let exponent: i32 = 0;
    let digits = 0;
    let fraction = 0;
    for (; ; at++) {
      const d = here() - 0x30;
      if (d < 10) {
        digits++;
        exponent -= fraction;
        // What does not fit 64 bits only counts as a power of ten.
        if (mantissa < 1_000_000_000_000_000_000) mantissa = mantissa * 10 + d;
        else exponent++;
      } else if (d == <u32>-2 && fraction == 0) fraction = 1;
      else break;
    }
    if (digits == 0) bad = true;
    if ((here() | 0x20) == 0x65) {
      at++;
      const sign = here();
      if (sign == 0x2d || sign == 0x2b) at++;
      let power: u32 = 0;
      for (let d: u32; (d = here() - 0x30) < 10; at++) power = min(power * 10 + d, 9999);
      exponent += sign == 0x2d ? -power : power;
    }
    const value = scaleByTen(<f64>mantissa, max(exponent, -400));
    return negative ? -value : value;
  }

  /** Steps over a value of any kind. */
  export function skip(): void {
    let depth = 0;
    do {
      const c = peek();
      if (bad || at >= end) {
        bad = true;
        return;
      }
      if (c == 0x22) {
        for (at++; at < end && load<u8>(at) != 0x22; at++) if (load<u8>(at) == 0x5c) at++;
        at++;
      } else {
        if (c == 0x7b || c == 0x5b) depth++;
        if (c == 0x7d || c == 0x5d) depth--;
        at++;
        if (depth == 0 && c != 0x7d && c != 0x5d) while (at < end && inWord(load<u8>(at))) at++;
      }
    } while (depth > 0);
  }
}

/** A letter, digit, sign or point: the rest of a number, true, false or null. */
function inWord(c: u32): bool {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a) || c == 0x2b || c == 0x2d || c == 0x2e || c == 0x45;
}

/** The next byte that is not white space; 0 at the end. */
function peek(): u32 {
  for (; at < end; at++) {
    const c: u32 = load<u8>(at);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return c;
  }
  return 0;
}

/** The byte at which reading stands; 0 at the end. */
function here(): u32 {
  return at < end ? load<u8>(at) : 0;
}

function fail(): Text {
  bad = true;
  return 0;
}

function escape(p: usize): usize {
  if (at >= end) return p;
  const c: u32 = load<u8>(at++);
  if (c != 0x75) {
    store<u8>(p, c == 0x6e ? 10 : c == 0x74 ? 9 : c == 0x72 ? 13 : c == 0x62 ? 8 : c == 0x66 ? 12 : c);
    return p + 1;
  }
  let code = hex4();
  if (code >= 0xd800 && code < 0xdc00 && at + 1 < end && load<u16>(at) == 0x755c) {
    at += 2;
    code = 0x10000 + ((code - 0xd800) << 10) + (hex4() - 0xdc00);
  }
  // The escape is at least as long as what it becomes.
  return putPoint(p, code);
}

function hex4(): u32 {
  let code: u32 = 0;
  for (let i = 0; i < 4; i++) {
    const c: u32 = at < end ? load<u8>(at++) : 0;
    const digit = c - 0x30 < 10 ? c - 0x30 : (c | 0x20) - 0x57;
    if (digit > 15) bad = true;
    code = (code << 4) | (digit & 15);
  }
  return code;
}
