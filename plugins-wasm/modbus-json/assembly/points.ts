// With tags: application/vnd.sluice.points+json, the tags whose registers lie in the reply.
import { byteAt, endText, Fault, Frame, isNumber, put, putByte, putF64, putI64, putU64, reply, Result, startText, u16At } from "../../sdk-as/assembly";
import { carriesBits, DATA, FUNCTION } from "./adu";
import { say as fault } from "./faults";
import { countOf, firstOf, NO_RANGE } from "./range";
import { firstTag, Order, Tag, Type } from "./tags";
import * as say from "./texts";

export function writePoints(frame: Frame, range: i64, result: Result): void {
  if (range == NO_RANGE) {
    return result.fault(Fault.Unsupported, fault("the topic does not end in /<unit>/<function>/<first>-<last>: no place for tags"));
  }
  const adu = frame.payload;
  const first = firstOf(range);
  const end = first + countOf(range);
  const bit: u32 = 1 << byteAt(adu, FUNCTION);
  let p = putTime(put(startText(), say.TIMESTAMP), frame.timestamp);
  p = put(p, say.POINTS);
  let points = 0;
  for (let tag: Tag | null = firstTag; tag != null; tag = tag!.next) {
    if ((tag.functions & bit) == 0 || tag.register < first || tag.register + tag.span > end) continue;
    if (points++ > 0) p = putByte(p, 0x2c);
    p = put(p, tag.head);
    const place = tag.register - first;
    const good = p;
    if (carriesBits(adu)) p = put(p, (byteAt(adu, DATA + (place >> 3)) >> (place & 7)) & 1 ? say.TRUE : say.FALSE);
    else p = putValue(p, tag, <usize>(<u32>adu) + DATA + (place << 1));
    // null, which no other value begins like
    p = put(put(p, tag.tail), load<u8>(good) == 0x6e ? say.BAD : say.GOOD);
  }
  // Nothing here that is a tag: the frame is done with.
  if (points == 0) return result.ok();
  const payload = endText(put(p, say.VALUES_END));
  const message = reply(frame);
  message.payload = payload;
  message.contentType = say.POINTS_TYPE;
  result.ok(message, 1);
}

function putValue(p: usize, tag: Tag, at: usize): usize {
  const bits = readBits(tag, at);
  const type = tag.type;
  if (type == Type.Bool) return put(p, bits != 0 ? say.TRUE : say.FALSE);
  if (type == Type.F32) return putF64(p, <f64>reinterpret<f32>(<u32>bits) * tag.scale + tag.offset, 7);
  if (type == Type.F64) return putF64(p, reinterpret<f64>(bits) * tag.scale + tag.offset, 15);
  if (type == Type.U64) return tag.scaled ? putF64(p, <f64>bits * tag.scale + tag.offset, 15) : putU64(p, bits);
  const whole: i64 = type == Type.I16 ? <i64>(<i16>bits) : type == Type.I32 ? <i64>(<i32>bits) : <i64>bits;
  return tag.scaled ? putF64(p, <f64>whole * tag.scale + tag.offset, 15) : putI64(p, whole);
}

/** The tag's registers as one number, whatever order they came in. */
function readBits(tag: Tag, at: usize): u64 {
  const order = tag.order;
  const swapAll = order == Order.Abcd || order == Order.Badc;
  let bits: u64;
  if (tag.span == 1) bits = swapAll ? bswap<u16>(load<u16>(at)) : load<u16>(at);
  else if (tag.span == 2) bits = swapAll ? bswap<u32>(load<u32>(at)) : load<u32>(at);
  else bits = swapAll ? bswap<u64>(load<u64>(at)) : load<u64>(at);
  if (order == Order.Badc || order == Order.Cdab) {
    bits = ((bits & 0x00ff00ff00ff00ff) << 8) | ((bits >> 8) & 0x00ff00ff00ff00ff);
  }
  return bits;
}

/** Nanoseconds as milliseconds, with as many decimals as there are. */
function putTime(p: usize, nanoseconds: u64): usize {
  p = putU64(p, nanoseconds / 1000000);
  let rest = <u32>(nanoseconds % 1000000);
  if (rest == 0) return p;
  p = putByte(p, 0x2e);
  for (let place: u32 = 100000; rest > 0; place /= 10) {
    p = putByte(p, 0x30 + rest / place);
    rest %= place;
  }
  return p;
}
