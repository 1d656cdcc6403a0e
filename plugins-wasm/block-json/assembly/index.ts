// Samples of a kernel to JSON: {"source":"line1","rate":10,"channels":1,"values":[1.5,null]}. NaN and infinities
// are null. A converter behind a kernel is told the shape in the properties format, channels and rate.
import {
  addressOf, answer, each, endText, equals, Fault, flushed, Frame, lengthOf, Message, put, putByte, putF64, putJson, reply,
  Result, startText, Text, text,
} from "../../sdk-as/assembly";

export { sluice_arena, sluice_arena_end } from "../../sdk-as/assembly";

const FORMAT = text("format"), CHANNELS = text("channels"), RATE = text("rate"), F32 = text("f32"), ONE = text("1"), ZERO = text("0");
const SOURCE_IS = text('{"source":'), RATE_IS = text(',"rate":'), CHANNELS_IS = text(',"channels":');
const VALUES_ARE = text(',"values":['), END = text("]}"), JSON_TYPE = text("application/json");
const NO_SAMPLES = text("its property format is not f32: block-json stands behind a kernel");
const NOT_WHOLE = text("its bytes are not a whole number of f32 samples");

export function configure(at: usize, length: u32): usize {
  return answer(at, length, (config: Text, result: Result) => result.ok());
}

export function convert(frames: usize, count: u32): usize {
  return each(frames, count, (frame: Frame, result: Result) => {
    if (!equals(property(frame, FORMAT, ZERO), F32)) return result.fault(Fault.Unsupported, NO_SAMPLES);
    const size = lengthOf(frame.payload);
    if (size % 4 != 0) return result.fault(Fault.Malformed, NOT_WHOLE);
    let p = putJson(put(startText(), SOURCE_IS), frame.source);
    p = put(put(p, RATE_IS), number(property(frame, RATE, ZERO)));
    p = put(put(p, CHANNELS_IS), number(property(frame, CHANNELS, ONE)));
    p = put(p, VALUES_ARE);
    const samples = addressOf(frame.payload);
    for (let at: u32 = 0; at < size; at += 4) {
      if (at > 0) p = putByte(p, 0x2c);
      p = putF64(p, load<f32>(samples + at), 7);
    }
    const payload = endText(put(p, END));
    const message = reply(frame);
    message.payload = payload;
    message.contentType = JSON_TYPE;
    dropShape(frame, message);
    result.ok(message, 1);
  });
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
