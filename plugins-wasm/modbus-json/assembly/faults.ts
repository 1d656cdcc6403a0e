// Texts of faults. They are rare, so they are put together when needed.
import { endText, putByte, putU32, startText, Text } from "../../sdk-as/assembly";

/** A literal in ASCII at `p`. */
export function putLiteral(p: usize, literal: string): usize {
  for (let i = 0, n = literal.length; i < n; i++) p = putByte(p, literal.charCodeAt(i));
  return p;
}

export function say(a: string): Text {
  return endText(putLiteral(startText(), a));
}

export function sayTwo(a: string, x: u32, b: string): Text {
  return endText(putLiteral(putU32(putLiteral(startText(), a), x), b));
}

export function sayThree(a: string, x: u32, b: string, y: u32, c: string): Text {
  return endText(putLiteral(putU32(putLiteral(putU32(putLiteral(startText(), a), x), b), y), c));
}

/** Modbus application protocol 1.1b3, section 7. */
export function exceptionText(code: u32, unit: u32): Text {
  let p = putU32(putLiteral(startText(), "Modbus exception "), code);
  const name = exceptionName(code);
  if (name.length > 0) p = putLiteral(putLiteral(putLiteral(p, " ("), name), ")");
  return endText(putU32(putLiteral(p, " from unit "), unit));
}

function exceptionName(code: u32): string {
  switch (code) {
    case 1: return "illegal function";
    case 2: return "illegal data address";
    case 3: return "illegal data value";
    case 4: return "server device failure";
    case 5: return "acknowledge";
    case 6: return "server device busy";
    case 8: return "memory parity error";
    case 10: return "gateway path unavailable";
    case 11: return "gateway target device failed to respond";
    default: return "";
  }
}
