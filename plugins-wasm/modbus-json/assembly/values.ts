// Without tags: {"unit":1,"function":3,"first":0,"values":[1,2]}.
import {
  byteAt, endText, ensure, Frame, lengthOf, put, putFilled, putU16, reply, Result, startText, Text, text, textOf, u16At,
} from "../../sdk-as/assembly";
import { carriesBits, DATA, FUNCTION, UNIT } from "./adu";
import { countOf, firstOf, NO_RANGE } from "./range";

let headKey: i64 = -1;
let head: Text = 0;

/** All in front of the values: the same for every frame of one poll, so the last one is kept. */
// @ts-ignore: decorator
@inline
function headOf(unit: u32, code: u32, range: i64): Text {
  // NO_RANGE is -1: its key has the upper bits set, and no other has.
  const key = (range << 16) | (unit << 8) | code;
  if (key != headKey) writeHead(unit, code, range, key);
  return head;
}

/** {"unit":255,"function":4,"first":65535,"values":[ and what `put` writes too many. */
const HEAD: usize = memory.data(64);

function writeHead(unit: u32, code: u32, range: i64, key: i64): void {
  headKey = key;
  let p = putFilled(HEAD, text('{"unit":#,"function":#'), unit, code);
  if (range != NO_RANGE) p = putFilled(p, text(',"first":#'), firstOf(range));
  head = textOf(HEAD, <u32>(put(p, text(',"values":[')) - HEAD));
}

export function writeValues(frame: Frame, range: i64, result: Result): void {
  const adu = frame.payload;
  const message = reply(frame);
  let p = put(startText(), headOf(byteAt(adu, UNIT), byteAt(adu, FUNCTION), range));
  const end = lengthOf(adu);
  // Room for all: sixteen bytes for one of bits, six for two of a register, and what the last one writes too many.
  ensure(p, ((end - DATA) << 4) + 8);
  if (carriesBits(adu)) {
    const count = range == NO_RANGE ? (end - DATA) << 3 : countOf(range);
    for (let i: u32 = 0; i < count; i++) {
      store<u16>(p, 0x2c30 + ((byteAt(adu, DATA + (i >> 3)) >> (i & 7)) & 1));
      p += 2;
    }
  } else {
    for (let at = DATA; at < end; at += 2) {
      p = putU16(p, u16At(adu, at));
      store<u8>(p++, 0x2c);
    }
  }
  // Over the last comma: ]}
  store<u16>(p - 1, 0x7d5d);
  message.payload = endText(p + 1);
  message.contentType = text("application/json");
  result.ok(message, 1);
}
