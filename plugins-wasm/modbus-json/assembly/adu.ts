// Checks of a Modbus TCP reply: MBAP header (7 bytes), function, byte count, data.
import { byteAt, Fault, lengthOf, Result, Text, u16At } from "../../sdk-as/assembly";
import { exceptionText, say, sayThree, sayTwo } from "./faults";
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

/** False if it is no good reply of functions 1 to 4; then `result` holds the fault. */
// @ts-ignore: decorator
@inline
export function checkReply(adu: Text, result: Result): bool {
  const length = lengthOf(adu);
  // One test for what is nearly always so.
  if (
    length > DATA &&
    load<u16>(<usize>(<u32>adu), 2) == 0 &&
    u16At(adu, 4) == length - 6 &&
    byteAt(adu, FUNCTION) - 1 < 4 &&
    byteAt(adu, BYTE_COUNT) == length - DATA &&
    (carriesBits(adu) || (length & 1) == 1)
  ) return true;
  explain(adu, length, result);
  return false;
}

/** False if the topic's range does not go with the number of bytes. */
// @ts-ignore: decorator
@inline
export function checkRange(adu: Text, range: i64, result: Result): bool {
  if (range == NO_RANGE) return true;
  const bytes = lengthOf(adu) - DATA;
  const count = countOf(range);
  if (bytes == (carriesBits(adu) ? (count + 7) >> 3 : count << 1)) return true;
  result.fault(Fault.Malformed, sayThree("the topic names ", count, " values, the reply has ", bytes, " bytes"));
  return false;
}

function explain(adu: Text, length: u32, result: Result): void {
  if (length < DATA - 1) {
    return result.fault(Fault.Malformed, sayTwo("", length, " bytes are too few for a Modbus TCP header and function (8)"));
  }
  const protocol = u16At(adu, 2);
  if (protocol != 0) return result.fault(Fault.Malformed, sayTwo("the protocol identifier is ", protocol, ", not 0"));
  const follows = u16At(adu, 4);
  if (follows != length - 6) {
    return result.fault(Fault.Malformed, sayThree("the header says ", follows, " bytes, ", length - 6, " follow"));
  }
  const code = byteAt(adu, FUNCTION);
  if (code >= 0x80) {
    if (length != DATA) return result.fault(Fault.Malformed, say("an exception reply has one byte of code"));
    return result.fault(Fault.Device, exceptionText(byteAt(adu, BYTE_COUNT), byteAt(adu, UNIT)));
  }
  if (code < 1 || code > 4) {
    return result.fault(Fault.Unsupported, sayTwo("function ", code, " is not one of 1 to 4"));
  }
  if (length == DATA - 1) return result.fault(Fault.Malformed, say("the reply ends in front of its byte count"));
  const bytes = byteAt(adu, BYTE_COUNT);
  if (bytes != length - DATA) {
    return result.fault(Fault.Malformed, sayThree("the byte count is ", bytes, ", ", length - DATA, " bytes follow"));
  }
  if (bytes == 0) return result.fault(Fault.Malformed, say("the reply has no values"));
  result.fault(Fault.Malformed, sayTwo("", bytes, " bytes are not a whole number of registers"));
}
