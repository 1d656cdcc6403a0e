// Checks of a Modbus TCP reply: MBAP header (7 bytes), function, byte count, data.
import { byteAt, Fault, lengthOf, Result, Text, text, u16At } from "../../sdk-as/assembly";
import { exceptionText, say } from "./faults";
import { countOf, NO_RANGE } from "./range";

export const UNIT: u32 = 6;
export const FUNCTION: u32 = 7;
export const BYTE_COUNT: u32 = 8;
export const DATA: u32 = 9;

/** Functions 1 and 2 carry bits, 3 and 4 registers. */
// @ts-ignore: decorator
@inline
export function carriesBits(adu: Text): bool {
  return byteAt(adu, FUNCTION) < 3;
}

/** A good reply of functions 1 to 4? One test for what is nearly always so. */
// @ts-ignore: decorator
@inline
export function isReply(adu: Text): bool {
  const length = lengthOf(adu);
  return length > DATA &&
    load<u16>(<usize>(<u32>adu), 2) == 0 &&
    u16At(adu, 4) == length - 6 &&
    byteAt(adu, FUNCTION) - 1 < 4 &&
    byteAt(adu, BYTE_COUNT) == length - DATA &&
    (carriesBits(adu) || (length & 1) == 1);
}

/** Does the number of bytes go with the topic's range? */
// @ts-ignore: decorator
@inline
export function fits(adu: Text, range: i64): bool {
  const count = countOf(range);
  return range == NO_RANGE || lengthOf(adu) - DATA == (carriesBits(adu) ? (count + 7) >> 3 : count << 1);
}

/** Why a reply is no good: says so, and nothing for what both of the above take. */
export function explain(adu: Text, range: i64, result: Result): void {
  const length = lengthOf(adu);
  const code = byteAt(adu, FUNCTION);
  const follows = u16At(adu, 4);
  const bytes = byteAt(adu, BYTE_COUNT);
  let fault = Fault.Malformed;
  let why: Text;
  let x: u32 = 0;
  let y: u32 = 0;
  if (length < DATA - 1) {
    why = text("# bytes are too few for a Modbus TCP header and function (8)");
    x = length;
  } else if ((x = u16At(adu, 2)) != 0) {
    why = text("the protocol identifier is #, not 0");
  } else if (follows != length - 6) {
    why = text("the header says # bytes, # follow");
    x = follows;
    y = length - 6;
  } else if (code >= 0x80) {
    if (length == DATA) return result.fault(Fault.Device, exceptionText(bytes, byteAt(adu, UNIT)));
    why = text("an exception reply has one byte of code");
  } else if (code - 1 > 3) {
    fault = Fault.Unsupported;
    why = text("function # is not one of 1 to 4");
    x = code;
  } else if (length == DATA - 1) {
    why = text("the reply ends in front of its byte count");
  } else if (bytes != length - DATA) {
    why = text("the byte count is #, # bytes follow");
    x = bytes;
    y = length - DATA;
  } else if (bytes == 0) {
    why = text("the reply has no values");
  } else if (code > 2 && (bytes & 1) == 1) {
    why = text("# bytes are not a whole number of registers");
    x = bytes;
  } else {
    why = text("the topic names # values, the reply has # bytes");
    x = countOf(range);
    y = bytes;
  }
  result.fault(fault, say(why, x, y));
}
