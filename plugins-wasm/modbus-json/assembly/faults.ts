// Texts of faults. They are rare, so they are put together when needed.
import { endText, lengthOf, put, putFilled, startText, Text, text } from "../../sdk-as/assembly";
import { wordOf } from "./words";

/** `pattern` with x and y for its `#`. */
export function say(pattern: Text, x: u32, y: u32): Text {
  return endText(putFilled(startText(), pattern, x, y));
}

/** Modbus application protocol 1.1b3, section 7; place n is exception n + 1. */
const EXCEPTIONS = text(
  "illegal function,illegal data address,illegal data value,server device failure,acknowledge,server device busy,," +
  "memory parity error,,gateway path unavailable,gateway target device failed to respond",
);

export function exceptionText(code: u32, unit: u32): Text {
  let p = putFilled(startText(), text("Modbus exception #"), code);
  const name = wordOf(EXCEPTIONS, code - 1);
  if (lengthOf(name) > 0) p = put(put(put(p, text(" (")), name), text(")"));
  return endText(putFilled(p, text(" from unit #"), unit));
}
