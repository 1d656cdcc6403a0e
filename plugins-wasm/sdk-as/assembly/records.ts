// The records of plugin.wit. Field order and types give the offsets of runtime/contract.ts.
import { allocate } from "./arena";
import { lend, Text, textOf } from "./text";

/** Lent for the length of the call; messages may point into it. */
@unmanaged
export class Frame {
  source: Text;
  topic: Text;
  /** Nanoseconds since 1970-01-01T00:00:00Z. */
  timestamp: u64;
  payload: Text;
  /** list<tuple<string, string>>: address and count. */
  properties: Text;
}

@unmanaged
export class Message {
  topic: Text;
  payload: Text;
  timestamp: u64;
  contentType: Text;
  qos: u8;
  retain: bool;
  // Offset 36: a Text here would be moved to 40.
  propertiesAt: u32;
  propertyCount: u32;

  /** Puts one property behind those that the message has. */
  addProperty(key: Text, value: Text): void {
    const size = this.propertyCount * PROPERTY_SIZE;
    const list = allocate(size + PROPERTY_SIZE, 4);
    memory.copy(list, this.propertiesAt, size);
    store<u64>(list + size, lend(key));
    store<u64>(list + size, lend(value), 8);
    this.propertiesAt = <u32>list;
    this.propertyCount++;
  }
}

const FRAME_SIZE = 40;
const MESSAGE_SIZE = 48;
const RESULT_SIZE = 16;
const LIST_SIZE = 8;
const PROPERTY_SIZE = 16;

/** Cases of variant fault. */
export const enum Fault {
  Malformed,
  Unsupported,
  OutOfRange,
  Device,
  Configuration,
  Internal,
}

/** The answer to one frame, or to configure. */
@unmanaged
export class Result {
  failed: bool;
  first: u32;
  second: u32;
  third: u32;

  /** This frame became `count` messages. None is an answer too. Constants are copied in. */
  ok(messages: Message | null = null, count: u32 = 0): void {
    const at = changetype<usize>(messages);
    lendAll(at, count);
    this.failed = false;
    this.first = <u32>at;
    this.second = count;
  }

  /** This frame cannot be converted; the text says what, where and why. */
  fault(code: Fault, text: Text): void {
    this.failed = true;
    this.first = code;
    store<u64>(changetype<usize>(this), lend(text), 8);
  }
}

/** A message with the frame's topic, time and properties; `count` of them lie one behind the other. */
export function reply(frame: Frame, count: u32 = 1): Message {
  const at = allocate(count * MESSAGE_SIZE, 8);
  for (let i: u32 = 0; i < count; i++) {
    const message = changetype<Message>(at + i * MESSAGE_SIZE);
    message.topic = frame.topic;
    message.payload = 0;
    message.timestamp = frame.timestamp;
    message.contentType = 0;
    // QoS 1, not retained; then both fields of the properties at once.
    store<u32>(changetype<usize>(message), 1, offsetof<Message>("qos"));
    store<Text>(changetype<usize>(message), frame.properties, offsetof<Message>("propertiesAt"));
  }
  return changetype<Message>(at);
}

/** Message `i` of those that `reply` made. */
// @ts-ignore: decorator
@inline
export function messageAt(messages: Message, i: u32): Message {
  return changetype<Message>(changetype<usize>(messages) + i * MESSAGE_SIZE);
}

function lendAll(at: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const message = changetype<Message>(at + i * MESSAGE_SIZE);
    message.topic = lend(message.topic);
    message.payload = lend(message.payload);
    message.contentType = lend(message.contentType);
  }
}

/** The body of the export `convert`: one call of `convert` for each frame. */
export function each(frames: usize, count: u32, convert: (frame: Frame, result: Result) => void): usize {
  const list = answers(count);
  for (let i: u32 = 0; i < count; i++) convert(frameAt(frames, i), answerAt(list, i));
  return list;
}

/** What `convert` returns, without the answers yet: one `answerAt` for each frame. */
export function answers(count: u32): usize {
  if (count > 0x7fffff) unreachable();
  const list = allocate(LIST_SIZE + count * RESULT_SIZE, 4);
  store<u64>(list, textOf(list + LIST_SIZE, count));
  return list;
}

/** Frame `i` of those that `convert` was given. */
// @ts-ignore: decorator
@inline
export function frameAt(frames: usize, i: u32): Frame {
  return changetype<Frame>(frames + i * FRAME_SIZE);
}

/** The answer to frame `i`; each is given once. */
// @ts-ignore: decorator
@inline
export function answerAt(answers: usize, i: u32): Result {
  return changetype<Result>(answers + LIST_SIZE + i * RESULT_SIZE);
}

/** The body of the export `configure`: read `config` (JSON), answer with result.ok() or result.fault(...). */
// @ts-ignore: decorator
@inline
export function answer(at: usize, length: u32, configure: (config: Text, result: Result) => void): usize {
  const result = answerOne();
  configure(textOf(at, length), result);
  return changetype<usize>(result);
}

/** What `configure` returns. */
export function answerOne(): Result {
  return changetype<Result>(allocate(RESULT_SIZE, 4));
}

/** What `flush` returns: `count` messages, none by default. */
export function flushed(messages: Message | null = null, count: u32 = 0): usize {
  const list = allocate(LIST_SIZE, 4);
  const at = changetype<usize>(messages);
  lendAll(at, count);
  store<u64>(list, textOf(at, count));
  return list;
}
