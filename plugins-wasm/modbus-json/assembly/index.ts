// Modbus TCP replies to JSON. Source: Modbus application protocol 1.1b3, sections 6.1 to 6.4 and 7;
// Modbus messaging on TCP/IP 1.0b, section 3.1.3 (MBAP header).
import {
  answerAt, answerOne, answers, flushed, Frame, frameAt, Level, log, Result, text, textOf,
} from "../../sdk-as/assembly";
import { explain, fits, isReply } from "./adu";
import { writePoints } from "./points";
import { NO_RANGE, readRange } from "./range";
import { firstTag, readTags } from "./tags";
import { writeValues } from "./values";

export { sluice_arena, sluice_arena_end } from "../../sdk-as/assembly";

export function configure(at: usize, length: u32): usize {
  const result = answerOne();
  if (readTags(textOf(at, length), result)) {
    log(Level.Info, firstTag == null ? text("no tags: each reply becomes one message") : text("replies become points of the tags"));
    result.ok();
  }
  return changetype<usize>(result);
}

export function convert(frames: usize, count: u32): usize {
  const list = answers(count);
  for (let i: u32 = 0; i < count; i++) convertFrame(frameAt(frames, i), answerAt(list, i));
  return list;
}

function convertFrame(frame: Frame, result: Result): void {
  const adu = frame.payload;
  const good = isReply(adu);
  const range = good ? readRange(frame.topic) : NO_RANGE;
  if (!good || !fits(adu, range)) return explain(adu, range, result);
  if (firstTag == null) writeValues(frame, range, result);
  else writePoints(frame, range, result);
}

/** Nothing is held back. */
export function flush(now: u64): usize {
  return flushed();
}
