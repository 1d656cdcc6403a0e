// The AssemblyScript SDK of Sluice. Everything is raw memory: see ../README.md.
export { allocate, call, ensure, keep, sluice_arena, sluice_arena_end } from "./arena";
export { Json, Kind } from "./json";
export { Level, log } from "./log";
export { isNumber, putDecimal, putF64, putI64, putU16, putU32, putU64, scaleByTen } from "./number";
export {
  answer, answerAt, answerOne, answers, each, Fault, flushed, Frame, frameAt, Message, messageAt, reply, Result,
} from "./records";
export {
  addressOf, byteAt, endText, equals, keepText, lend, lengthOf, put, putByte, putFilled, putJson, startText, Text, text, textOf, u16At,
} from "./text";
