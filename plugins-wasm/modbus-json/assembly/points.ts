// With tags: application/vnd.sluice.points+json, the tags whose registers lie in the reply.
import {
  addressOf, byteAt, endText, Fault, Frame, put, putDecimal, putF64, putI64, putU64, reply, Result, startText, Text, text,
} from "../../sdk-as/assembly";
import { carriesBits, DATA, FUNCTION } from "./adu";
import { countOf, firstOf, NO_RANGE } from "./range";
import { firstTag, Order, Tag, Type } from "./tags";

export function writePoints(frame: Frame, range: i64, result: Result): void {
  if (range == NO_RANGE) {
    return result.fault(Fault.Unsupported, text("the topic does not end in /<unit>/<function>/<first>-<last>: no place for tags"));
  }
  const adu = frame.payload;
  const first = firstOf(range);
  const end = first + countOf(range);
  const functions: u32 = 1 << byteAt(adu, FUNCTION);
  // Nanoseconds as milliseconds, with as many decimals as there are.
  const points = put(putDecimal(put(startText(), text('{"timestamp":')), frame.timestamp, -6), text(',"points":['));
  let p = points;
  for (let tag: Tag | null = firstTag; tag != null; tag = tag!.next) {
    if ((tag.functions & functions) == 0 || tag.register < first || tag.register + tag.span > end) continue;
    const place = tag.register - first;
    const value = put(p, tag.head);
    p = putValue(value, tag, carriesBits(adu) ? bitOf(adu, place) : wordsOf(addressOf(adu) + DATA + (place << 1), tag));
    // null, which no other value begins like
    p = put(put(p, tag.tail), load<u8>(value) == 0x6e ? text('bad"},') : text('good"},'));
  }
  // Nothing here that is a tag: the frame is done with.
  if (p == points) return result.ok();
  const payload = endText(put(p - 1, text("]}")));
  const message = reply(frame);
  message.payload = payload;
  message.contentType = text("application/vnd.sluice.points+json");
  result.ok(message, 1);
}

function putValue(p: usize, tag: Tag, bits: u64): usize {
  const type = tag.type;
  if (type == Type.Bool) return put(p, bits != 0 ? text("true") : text("false"));
  let value: f64;
  if (type == Type.F32) value = reinterpret<f32>(<u32>bits);
  else if (type == Type.F64) value = reinterpret<f64>(bits);
  else {
    const signed = (type & 1) == 0;
    if (signed) {
      const above = 64 - (tag.span << 4);
      bits = <u64>(<i64>(bits << above) >> above);
    }
    if (!tag.scaled) return signed ? putI64(p, bits) : putU64(p, bits);
    value = signed ? <f64>(<i64>bits) : <f64>bits;
  }
  return putF64(p, value * tag.scale + tag.offset, type == Type.F32 ? 7 : 15);
}

// @ts-ignore: decorator
@inline
function bitOf(adu: Text, place: u32): u32 {
  return (byteAt(adu, DATA + (place >> 3)) >> (place & 7)) & 1;
}

/** The tag's registers as one number, whatever order they came in. Reads eight bytes: results lie behind them. */
function wordsOf(at: usize, tag: Tag): u64 {
  const above = 64 - (tag.span << 4);
  let bits = load<u64>(at);
  // Now the first register lies in the lowest sixteen bits, as on the wire: its upper byte in the lower half.
  if ((tag.order & Order.BytesTurned) == 0) bits = ((bits & 0x00ff00ff00ff00ff) << 8) | ((bits >> 8) & 0x00ff00ff00ff00ff);
  if ((tag.order & Order.WordsTurned) != 0) return (bits << above) >> above;
  bits = ((bits & 0x0000ffff0000ffff) << 16) | ((bits >> 16) & 0x0000ffff0000ffff);
  return rotl(bits, 32) >> above;
}
