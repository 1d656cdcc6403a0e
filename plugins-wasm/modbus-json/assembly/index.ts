// Modbus TCP replies to JSON. Source: Modbus application protocol 1.1b3, sections 6.1 to 6.4 and 7;
// Modbus messaging on TCP/IP 1.0b, section 3.1.3 (MBAP header).
import { answer, each, flushed, Frame, Level, log, Result, Text } from "../../sdk-as/assembly";
import { checkRange, checkReply } from "./adu";
import { writePoints } from "./points";
import { readRange } from "./range";
import { firstTag, readTags } from "./tags";
import * as say from "./texts";
import { writeValues } from "./values";

export { sluice_arena, sluice_arena_end } from "../../sdk-as/assembly";

export function configure(at: usize, length: u32): usize {
  return answer(at, length, (config: Text, result: Result) => {
    if (!readTags(config, result)) return;
    log(Level.Info, firstTag == null ? say.WHOLE : say.TAGGED);
    result.ok();
  });
}

export function convert(frames: usize, count: u32): usize {
  return each(frames, count, (frame: Frame, result: Result) => {
    if (!checkReply(frame.payload, result)) return;
    const range = readRange(frame.topic);
    if (!checkRange(frame.payload, range, result)) return;
    if (firstTag == null) writeValues(frame, range, result);
    else writePoints(frame, range, result);
  });
}

/** Nothing is held back. */
export function flush(now: u64): usize {
  return flushed();
}
