// Without tags: {"unit":1,"function":3,"first":0,"values":[1,2]}.
import {
  byteAt, endText, ensure, Frame, keep, lengthOf, put, putByte, putU16, putU32, reply, Result, startText, Text, textOf, u16At,
} from "../../sdk-as/assembly";
import { carriesBits, DATA, FUNCTION, UNIT } from "./adu";
import { countOf, firstOf, NO_RANGE } from "./range";
import * as say from "./texts";

/** {"unit":255,"function":4,"first":65535,"values":[ and what `put` writes too many. */
const HEAD: usize = keep(64);
let headKey: i64 = -1;
let head: Text = 0;

/** All in front of the values: the same for every frame of one poll, so the last one is kept. */
// @ts-ignore: decorator
@inline
function headOf(unit: u32, code: u32, range: i64): Text {
  // NO_RANGE is -1: its key has the upper bits set, and no other has.
  const key = (range << 16) | (unit << 8) | code;
  if (key != headKey) {
    headKey = key;
    let p = putU32(put(HEAD, say.UNIT), unit);
    p = putU32(put(p, say.FUNCTION), code);
    if (range != NO_RANGE) p = putU32(put(p, say.FIRST), firstOf(range));
    head = textOf(HEAD, <u32>(put(p, say.VALUES) - HEAD));
  }
  return head;
}

export function writeValues(frame: Frame, range: i64, result: Result): void {
  const adu = frame.payload;
  const message = reply(frame);
  let p = put(startText(), headOf(byteAt(adu, UNIT), byteAt(adu, FUNCTION), range));
  const end = lengthOf(adu);
  if (carriesBits(adu)) {
    const count = range == NO_RANGE ? (end - DATA) << 3 : countOf(range);
    for (let i: u32 = 0; i < count; i++) {
      if (i > 0) p = putByte(p, 0x2c);
      p = putByte(p, 0x30 + ((byteAt(adu, DATA + (i >> 3)) >> (i & 7)) & 1));
    }
  } else {
    // Room for all: at most five digits and a comma for two bytes, and what the last one writes too many.
    ensure(p, (end - DATA) * 3 + 8);
    p = putU16(p, u16At(adu, DATA));
    for (let at = DATA + 2; at < end; at += 2) {
      store<u8>(p, 0x2c);
      p = putU16(p + 1, u16At(adu, at));
    }
  }
  message.payload = endText(put(p, say.VALUES_END));
  message.contentType = say.JSON_TYPE;
  result.ok(message, 1);
}
