// The conversion of plugins-wasm/modbus-json behind Extism's ABI: only the ways in and out differ. Bytes
// cross as eight at a time through the host's functions, as Extism's own PDKs do it.
//
// A frame, in both forms:   u16 length of the topic, u16 length of the ADU, topic, ADU (little-endian);
//                           length 0: the topic of the frame before, as our slab holds a topic once.
// convert:                  one frame in, one JSON text out.
// convertBatch:             frames to the end of the input; each text behind its u32 length.
import { addressOf, allocate, Frame, lengthOf, Message, Result, sluice_arena, Text, textOf } from "../../../../plugins-wasm/sdk-as/assembly";
import { explain, fits, isReply } from "../../../../plugins-wasm/modbus-json/assembly/adu";
import { NO_RANGE, readRange } from "../../../../plugins-wasm/modbus-json/assembly/range";
import { writeValues } from "../../../../plugins-wasm/modbus-json/assembly/values";

@external("extism:host/env", "input_length")
declare function inputLength(): u64;
@external("extism:host/env", "input_load_u8")
declare function inputLoad8(at: u64): u32;
@external("extism:host/env", "input_load_u64")
declare function inputLoad64(at: u64): u64;
@external("extism:host/env", "alloc")
declare function alloc(size: u64): u64;
@external("extism:host/env", "store_u8")
declare function store8(at: u64, byte: u32): void;
@external("extism:host/env", "store_u64")
declare function store64(at: u64, bytes: u64): void;
@external("extism:host/env", "output_set")
declare function outputSet(at: u64, length: u64): void;
@external("extism:host/env", "error_set")
declare function errorSet(at: u64): void;

const FRAME_SIZE = 40;
const RESULT_SIZE = 16;

let topic: Text = 0;
/** Behind the frame that was read last. */
let next: usize = 0;

export function convert(): i32 {
  const input = readInput();
  const result = newResult();
  convertOne(addressOf(input), newFrame(), result);
  if (result.failed) return refuse(result);
  const json = changetype<Message>(<usize>result.first).payload;
  outputSet(copyOut(json), lengthOf(json));
  return 0;
}

export function convertBatch(): i32 {
  const input = readInput();
  const end = addressOf(input) + lengthOf(input);
  const frame = newFrame();
  const result = newResult();
  let count: u32 = 0;
  for (let at = addressOf(input); at < end; at += 4 + load<u16>(at) + load<u16>(at, 2)) count++;
  const texts = allocate(count * 8, 8);
  let total: u32 = 0;
  let at = addressOf(input);
  for (let i: u32 = 0; i < count; i++) {
    convertOne(at, frame, result);
    at = next;
    if (result.failed) return refuse(result);
    const json = changetype<Message>(<usize>result.first).payload;
    store<u64>(texts + i * 8, json);
    total += 4 + lengthOf(json);
  }
  const output = allocate(total, 8);
  let p = output;
  for (let i: u32 = 0; i < count; i++) {
    const json = load<u64>(texts + i * 8);
    store<u32>(p, lengthOf(json));
    memory.copy(p + 4, addressOf(json), lengthOf(json));
    p += 4 + lengthOf(json);
  }
  outputSet(copyOut(textOf(output, total)), total);
  return 0;
}

/** As `convert` of modbus-json without tags. */
function convertOne(at: usize, frame: Frame, result: Result): void {
  const topicLength = <u32>load<u16>(at);
  const length = <u32>load<u16>(at, 2);
  if (topicLength > 0) topic = textOf(at + 4, topicLength);
  frame.topic = topic;
  frame.payload = textOf(at + 4 + topicLength, length);
  next = at + 4 + topicLength + length;
  const adu = frame.payload;
  const good = isReply(adu);
  const range = good ? readRange(frame.topic) : NO_RANGE;
  if (!good || !fits(adu, range)) return explain(adu, range, result);
  writeValues(frame, range, result);
}

function newFrame(): Frame {
  const at = allocate(FRAME_SIZE, 8);
  memory.fill(at, 0, FRAME_SIZE);
  return changetype<Frame>(at);
}

function newResult(): Result {
  return changetype<Result>(allocate(RESULT_SIZE, 8));
}

function readInput(): Text {
  const length = <u32>inputLength();
  const at = sluice_arena(length);
  if (at == 0) unreachable();
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) store<u64>(at + i, inputLoad64(i));
  for (; i < length; i++) store<u8>(at + i, inputLoad8(i));
  return textOf(at, length);
}

function copyOut(text: Text): u64 {
  const length = lengthOf(text);
  const from = addressOf(text);
  const to = alloc(length);
  let i: u32 = 0;
  for (; i + 8 <= length; i += 8) store64(to + i, load<u64>(from + i));
  for (; i < length; i++) store8(to + i, load<u8>(from + i));
  return to;
}

function refuse(result: Result): i32 {
  const text = load<u64>(changetype<usize>(result), 8);
  errorSet(copyOut(text));
  return 1;
}
