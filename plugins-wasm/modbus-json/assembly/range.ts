// A polled frame's topic ends in /<unit>/<function>/<first>-<last>.
import { byteAt, call, lengthOf, Text } from "../../sdk-as/assembly";

/** What `readRange` answers for any other topic. */
export const NO_RANGE: i64 = -1;

let topic: Text = 0;
let cursor: u32 = 0;

let knownCall: u32 = 0;
let known: Text = 0;
let knownRange: i64 = NO_RANGE;

/** First address in the upper 16 bits of 32, last in the lower, or NO_RANGE. */
// @ts-ignore: decorator
@inline
export function readRange(text: Text): i64 {
  // Frames of one poll share their topic: the same bytes at the same place of the same call.
  if (text != known || call != knownCall) {
    known = text;
    knownCall = call;
    knownRange = parseRange(text);
  }
  return knownRange;
}

function parseRange(text: Text): i64 {
  topic = text;
  cursor = lengthOf(text);
  const last = numberBefore();
  if (last < 0 || !before(0x2d)) return NO_RANGE;
  const first = numberBefore();
  if (first < 0 || first > last || !before(0x2f)) return NO_RANGE;
  if (numberBefore() < 0 || !before(0x2f)) return NO_RANGE;
  if (numberBefore() < 0 || !before(0x2f)) return NO_RANGE;
  return (<i64>first << 16) | last;
}

// @ts-ignore: decorator
@inline
export function firstOf(range: i64): u32 {
  return <u32>(range >>> 16);
}

// @ts-ignore: decorator
@inline
export function countOf(range: i64): u32 {
  return (<u32>range & 0xffff) - <u32>(range >>> 16) + 1;
}

/** A number of 1 to 5 digits up to 65535 in front of the cursor, or -1. */
function numberBefore(): i32 {
  let value: u32 = 0;
  let place: u32 = 1;
  while (cursor > 0 && place < 100000) {
    const digit = byteAt(topic, cursor - 1) - 0x30;
    if (digit > 9) break;
    value += digit * place;
    place *= 10;
    cursor--;
  }
  return place == 1 || value > 65535 ? -1 : value;
}

function before(byte: u32): bool {
  if (cursor == 0 || byteAt(topic, cursor - 1) != byte) return false;
  cursor--;
  return true;
}
