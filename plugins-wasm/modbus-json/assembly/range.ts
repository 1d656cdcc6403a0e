// A polled frame's topic ends in /<unit>/<function>/<first>-<last>.
import { byteAt, call, lengthOf, Text } from "../../sdk-as/assembly";

/** What `readRange` answers for any other topic. */
export const NO_RANGE: i64 = -1;

let knownCall: u32 = 0;
let known: Text = 0;
let knownRange: i64 = 0;

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

/** From the end on: four numbers of 1 to 5 digits up to 65535, each behind its mark. */
function parseRange(topic: Text): i64 {
  let cursor = lengthOf(topic);
  let last: u32 = 0;
  let first: u32 = 0;
  for (let number = 0; number < 4; number++) {
    let value: u32 = 0;
    let place: u32 = 1;
    let mark: u32 = 0;
    while (cursor > 0) {
      mark = byteAt(topic, --cursor);
      if (mark - 0x30 > 9 || place > 10000) break;
      value += (mark - 0x30) * place;
      place *= 10;
      mark = 0;
    }
    if (place == 1 || value > 65535 || mark != (number == 0 ? 0x2d : 0x2f)) return NO_RANGE;
    if (number == 0) last = value;
    if (number == 1) first = value;
  }
  return first > last ? NO_RANGE : (<i64>first << 16) | last;
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
