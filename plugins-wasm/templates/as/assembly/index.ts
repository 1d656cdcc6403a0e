// {{name}}: the first register of a Modbus TCP reply as a temperature, {"unit":1,"celsius":21.5}.
import {
  answer, byteAt, each, endText, equals, Fault, flushed, Frame, Json, lengthOf, put, putF64, putU32, reply, Result,
  startText, Text, text, u16At,
} from "sluice/as";

export { sluice_arena, sluice_arena_end } from "sluice/as";

// Places in a reply: seven bytes of header, the last of them the unit; function, count of bytes, registers.
const UNIT: u32 = 6, FUNCTION: u32 = 7, REGISTERS: u32 = 9;

// Texts lie in the module, as the build lays them out. In a call nothing is made but what goes out.
const UNIT_IS = text('{"unit":'), CELSIUS_IS = text(',"celsius":'), END = text("}"), JSON_TYPE = text("application/json");
const NO_REGISTER = text("not a reply with registers (function 3 or 4, 11 bytes or more)");
const SCALE = text("scale"), BAD_CONFIG = text('known is {"scale": number}');

/** Degrees a count. */
let scale: f64 = 0.1;

/** A register as degrees: it is a signed number. */
export function celsius(register: u32): f64 {
  return <f64>(<i16>register) * scale;
}

export function hasRegister(adu: Text): bool {
  if (lengthOf(adu) < REGISTERS + 2) return false;
  const code = byteAt(adu, FUNCTION);
  return code == 3 || code == 4;
}

/** Once, before the first frame. */
export function configure(at: usize, length: u32): usize {
  return answer(at, length, (config: Text, result: Result) => {
    Json.open(config);
    Json.enter();
    while (Json.more()) {
      if (!equals(Json.key(), SCALE)) return result.fault(Fault.Configuration, BAD_CONFIG);
      scale = Json.number();
    }
    if (Json.failed()) return result.fault(Fault.Configuration, BAD_CONFIG);
    result.ok();
  });
}

/** One answer for each frame: messages, or why there are none. */
export function convert(frames: usize, count: u32): usize {
  return each(frames, count, (frame: Frame, result: Result) => {
    const adu = frame.payload;
    if (!hasRegister(adu)) return result.fault(Fault.Unsupported, NO_REGISTER);
    let p = putU32(put(startText(), UNIT_IS), byteAt(adu, UNIT));
    p = putF64(put(p, CELSIUS_IS), celsius(u16At(adu, REGISTERS)), 15);
    const payload = endText(put(p, END));
    const message = reply(frame);
    message.payload = payload;
    message.contentType = JSON_TYPE;
    result.ok(message, 1);
  });
}

/** On idle and at the end. Nothing is held back here. */
export function flush(now: u64): usize {
  return flushed();
}
