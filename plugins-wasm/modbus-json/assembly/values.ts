// Without tags: {"unit":1,"function":3,"first":0,"values":[1,2]}.
import { byteAt, endText, ensure, Frame, lengthOf, put, putByte, putU16, putU32, reply, Result, startText, u16At } from "../../sdk-as/assembly";
import { carriesBits, DATA, FUNCTION, UNIT } from "./adu";
import { countOf, firstOf, NO_RANGE } from "./range";
import * as say from "./texts";

export function writeValues(frame: Frame, range: i64, result: Result): void {
  const adu = frame.payload;
  const message = reply(frame);
  let p = put(startText(), say.UNIT);
  p = putU32(p, byteAt(adu, UNIT));
  p = put(p, say.FUNCTION);
  p = putU32(p, byteAt(adu, FUNCTION));
  if (range != NO_RANGE) p = putU32(put(p, say.FIRST), firstOf(range));
  p = put(p, say.VALUES);
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
