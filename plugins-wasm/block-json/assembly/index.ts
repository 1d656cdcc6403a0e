// Samples of a kernel to JSON: {"source":"line1","rate":10,"channels":1,"values":[1.5,null]}. NaN and infinities
// are null. A converter behind a kernel is told the shape in the properties format, channels and rate.
import {
  addressOf, answerAt, answerOne, answers, endText, equals, Fault, flushed, Frame, frameAt, lengthOf, Message, put, putByte,
  putF64, putJson, reply, Result, startText, Text, text,
} from "../../sdk-as/assembly";

export { sluice_arena, sluice_arena_end } from "../../sdk-as/assembly";

const FORMAT = text("format"), CHANNELS = text("channels"), RATE = text("rate"), ZERO = text("0");

export function configure(at: usize, length: u32): usize {
  const result = answerOne();
  result.ok();
  return changetype<usize>(result);
}

export function convert(frames: usize, count: u32): usize {
  const list = answers(count);
  for (let i: u32 = 0; i < count; i++) convertFrame(frameAt(frames, i), answerAt(list, i));
  return list;
}

function convertFrame(frame: Frame, result: Result): void {
  if (!equals(property(frame, FORMAT, ZERO), text("f32"))) {
    return result.fault(Fault.Unsupported, text("its property format is not f32: block-json stands behind a kernel"));
  }
  const size = lengthOf(frame.payload);
  if (size % 4 != 0) return result.fault(Fault.Malformed, text("its bytes are not a whole number of f32 samples"));
  let p = putJson(put(startText(), text('{"source":')), frame.source);
  p = put(put(p, text(',"rate":')), number(property(frame, RATE, ZERO)));
  p = put(put(p, text(',"channels":')), number(property(frame, CHANNELS, text("1"))));
  p = put(p, text(',"values":['));
  const samples = addressOf(frame.payload);
  for (let at: u32 = 0; at < size; at += 4) {
    if (at > 0) p = putByte(p, 0x2c);
    p = putF64(p, load<f32>(samples + at), 7);
  }
  const payload = endText(put(p, text("]}")));
  const message = reply(frame);
  message.payload = payload;
  message.contentType = text("application/json");
  dropShape(frame, message);
  result.ok(message, 1);
}

/** Nothing is held back. */
export function flush(now: u64): usize {
  return flushed();
}

// @ts-ignore: decorator
@inline
function key(frame: Frame, i: u32): Text {
  return load<Text>(addressOf(frame.properties) + (<usize>i << 4));
}

// @ts-ignore: decorator
@inline
function value(frame: Frame, i: u32): Text {
  return load<Text>(addressOf(frame.properties) + (<usize>i << 4), 8);
}

function property(frame: Frame, name: Text, otherwise: Text): Text {
  for (let i: u32 = 0; i < lengthOf(frame.properties); i++) if (equals(key(frame, i), name)) return value(frame, i);
  return otherwise;
}

/** A rate that JSON cannot hold (Infinity, NaN) is not known: 0. */
function number(digits: Text): Text {
  const first = lengthOf(digits) == 0 ? 0 : <u32>load<u8>(addressOf(digits));
  return first - 0x30 < 10 ? digits : ZERO;
}

/** The shape is in the JSON now, and describes the payload no more; other properties stay. */
function dropShape(frame: Frame, message: Message): void {
  message.propertyCount = 0;
  for (let i: u32 = 0; i < lengthOf(frame.properties); i++) {
    const name = key(frame, i);
    if (!equals(name, FORMAT) && !equals(name, CHANNELS) && !equals(name, RATE)) message.addProperty(name, value(frame, i));
  }
}
