import { alignUp } from '../batch/slab.js';
import { BLOCK, BLOCK_RESULT, ERRNOS, FRAME, MESSAGE, PROPERTY, RESULT } from '../contract.js';
import { SluiceError } from '../errors.js';
import { badResult } from '../instance/guest-error.js';
import type { BlockShape, Items, Produced } from '../instance/instance.js';
import { checkList, emitFault, type Target } from './emit.js';

const FRAME_WORDS = FRAME.size >> 2;
const MESSAGE_WORDS = MESSAGE.size >> 2;
const NO_TEXT = new Uint8Array(0);

/** Items between two stages, with their own records; grows, is reused from batch to batch. */
export class Gathered implements Items {
  u8: Uint8Array = NO_TEXT;
  base = 0;
  length = 0;
  records = new Uint32Array(64 * FRAME_WORDS);
  readonly recordsAt = 0;
  count = 0;
  tail: Uint8Array | undefined;
  shape: BlockShape | undefined;
  tuplesBase = 0;
  /** Frame of the slab that each item stands for. */
  origins = new Uint32Array(64);
  #room = 0;
  /** Texts that were copied out of the arena, one behind the other. */
  #texts = new Uint8Array(1024);
  #textEnd = 0;
  /** Where in the region the data of blocks begin and end. */
  #first = 0;
  #last = 0;
  /** Their bytes, each filled up to a multiple of 16. */
  #dataBytes = 0;
  #data = NO_TEXT;

  /** @param room most bytes that records and property lists may come to in the next stage */
  begin(produced: Produced, room: number): void {
    this.#room = room;
    this.u8 = produced.u8;
    this.base = produced.base;
    this.length = produced.end - produced.base;
    this.tuplesBase = produced.base;
    this.count = 0;
    this.tail = undefined;
    this.shape = undefined;
    this.#textEnd = 0;
    this.#first = this.length;
    this.#last = 0;
    this.#dataBytes = 0;
  }

  /** Data of a block. @param at from the begin of the region */
  holds(at: number, bytes: number): void {
    this.#first = Math.min(this.#first, at);
    this.#last = Math.max(this.#last, at + bytes);
    this.#dataBytes += alignUp(bytes, 16);
  }

  /** Copies a text of the arena, and gives its place among those that were copied. @param at as above */
  keep(at: number, length: number, plugin: string): number {
    this.charge(length, plugin);
    const start = this.#textEnd;
    this.#textEnd += length;
    if (this.#textEnd > this.#texts.length) {
      const texts = new Uint8Array(this.#textEnd * 2);
      texts.set(this.#texts);
      this.#texts = texts;
    }
    const from = this.base + at;
    for (let i = 0; i < length; i++) this.#texts[start + i] = this.u8[from + i] as number;
    return start;
  }

  /**
   * Ends a list of blocks: the region is that of their data alone, with their texts behind it. What a kernel was given,
   * and what it needed on the way, stays behind; else each stage would copy all that those in front of it have made.
   */
  narrow(): void {
    if (this.count === 0) return;
    // Data stay aligned as they are.
    const start = this.#first & ~15;
    if (this.#dataBytes * 2 < this.#last - start) this.#pack();
    else {
      this.base += start;
      this.length = this.#last - start;
      for (let i = 0, w = 6; i < this.count; i++, w += FRAME_WORDS) this.records[w]! -= start;
    }
    this.tail = this.#texts.subarray(0, this.#textEnd);
    for (let i = 0, w = 0; i < this.count; i++, w += FRAME_WORDS) {
      this.records[w]! += this.length;
      this.records[w + 2]! += this.length;
    }
  }

  /** Most of what lies between the data is none: they are put side by side. */
  #pack(): void {
    if (this.#data.length < this.#dataBytes) this.#data = new Uint8Array(this.#dataBytes * 2);
    let to = 0;
    for (let i = 0, w = 6; i < this.count; i++, w += FRAME_WORDS) {
      const from = this.base + (this.records[w] as number);
      const bytes = this.records[w + 1] as number;
      this.#data.set(this.u8.subarray(from, from + bytes), to);
      this.records[w] = to;
      to = alignUp(to + bytes, 16);
    }
    this.u8 = this.#data;
    this.base = 0;
    this.length = to;
  }

  /**
   * Counts bytes of records and property lists. Many results may share one list, which has to be written
   * out for each: without a bound a few kilobytes of a guest would become gigabytes here.
   * @throws SluiceError SLUICE_GUEST_OUTPUT
   */
  charge(bytes: number, plugin: string): void {
    this.#room -= bytes;
    if (this.#room >= 0) return;
    throw new SluiceError(
      'SLUICE_GUEST_OUTPUT',
      `${plugin} returned more messages or properties for the next stage than the output limit allows`,
      { step: 'run', plugin },
    );
  }

  /** Makes room for one more record and gives its first word. */
  next(origin: number): number {
    if ((this.count + 1) * FRAME_WORDS > this.records.length) {
      const records = new Uint32Array(this.records.length * 2);
      records.set(this.records);
      this.records = records;
      const origins = new Uint32Array(this.origins.length * 2);
      origins.set(this.origins);
      this.origins = origins;
    }
    this.origins[this.count] = origin;
    return this.count++ * FRAME_WORDS;
  }
}

/**
 * What a converter returned, as the frames of the next stage: each message becomes a frame with its
 * topic, timestamp, payload and properties; the source is that of the frame it came from.
 */
export function collectResults(produced: Produced, input: Items, target: Target, into: Gathered): void {
  const { u8, u32, count } = produced;
  const { origins, faulted, plugin } = target;
  into.begin(produced, target.out.limit);
  for (let i = 0, r = produced.results >> 2; i < count; i++, r += RESULT.size >> 2) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    const tag = u8[r << 2] as number;
    if (tag === 1) {
      emitFault(produced, target, r, frame, i);
      continue;
    }
    if (tag > 1) throw badResult(plugin, `a result with the discriminant ${tag} (frame ${i})`);
    const some = checkList(produced, u32[r + 1] as number, u32[r + 2] as number, plugin, i);
    const from = input.recordsAt + i * FRAME_WORDS;
    gather(produced, (u32[r + 1] as number) >> 2, some, frame, plugin, into, input, from);
  }
}

/** What a flush gave out, as frames of the next stage. */
export function collectMessages(produced: Produced, target: Target, into: Gathered): void {
  into.begin(produced, target.out.limit);
  checkList(produced, produced.results, produced.count, target.plugin, 0);
  gather(produced, produced.results >> 2, produced.count, target.origins[0] as number, target.plugin, into);
}

function gather(
  produced: Produced,
  list: number,
  count: number,
  frame: number,
  plugin: string,
  into: Gathered,
  input?: Items,
  from = 0,
): void {
  const { u32, base } = produced;
  into.charge(count * FRAME.size, plugin);
  for (let m = 0, r = list; m < count; m++, r += MESSAGE_WORDS) {
    const to = into.next(frame);
    const w = into.records;
    w[to] = input === undefined ? 0 : (input.records[from] as number);
    w[to + 1] = input === undefined ? 0 : (input.records[from + 1] as number);
    w[to + 2] = within(produced, u32[r] as number, u32[r + 1] as number, 'topic', plugin, frame);
    w[to + 3] = u32[r + 1] as number;
    w[to + 4] = u32[r + 4] as number;
    w[to + 5] = u32[r + 5] as number;
    w[to + 6] = within(produced, u32[r + 2] as number, u32[r + 3] as number, 'payload', plugin, frame);
    w[to + 7] = u32[r + 3] as number;
    const tuples = u32[r + 10] as number;
    w[to + 9] = tuples;
    w[to + 8] = 0;
    if (tuples === 0) continue;
    const at = u32[r + 9] as number;
    within(produced, at, tuples * PROPERTY.size, 'property list', plugin, frame);
    if (at % PROPERTY.align !== 0)
      throw badResult(plugin, `a property list at ${at}, not aligned (frame ${frame})`);
    into.charge(tuples * PROPERTY.size, plugin);
    for (let p = 0, t = at >> 2; p < tuples * 2; p++, t += 2)
      within(produced, u32[t] as number, u32[t + 1] as number, 'property', plugin, frame);
    w[to + 8] = at - base;
  }
}

/** What a kernel returned for each block, as the blocks of the next stage; blocks without data end here. */
export function collectBlocks(produced: Produced, input: Items, target: Target, into: Gathered): void {
  const { u8 } = produced;
  const { out, origins, faulted, stage, plugin } = target;
  const answers = produced.answers as Uint32Array;
  const shape = newShape(produced.count);
  into.begin(produced, out.limit);
  for (let i = 0; i < produced.count; i++) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    const at = answers[i] as number;
    if (u8[at] === 0) {
      gatherBlock(produced, at + BLOCK_RESULT.block, frame, plugin, into, shape);
      continue;
    }
    const errno = ERRNOS[u8[at + BLOCK_RESULT.errno] as number];
    if (u8[at] !== 1 || errno === undefined) throw badResult(plugin, `an unknown errno for block ${i}`);
    faulted[frame] = 1;
    const topic = input.recordsAt + i * FRAME_WORDS;
    const text = `${plugin} answered ${errno} to a block of ${input.records[topic + 7]} bytes`;
    out.fault(frame, 'SLUICE_KERNEL_ERRNO', stage, Buffer.from(text));
  }
  into.narrow();
  into.shape = shape;
}

/** The blocks that a kernel's flush gave out. */
export function collectFlushedBlocks(produced: Produced, target: Target, into: Gathered): void {
  const shape = newShape(produced.count);
  into.begin(produced, target.out.limit);
  for (let i = 0; i < produced.count; i++) {
    const at = produced.results + i * BLOCK.size;
    gatherBlock(produced, at, target.origins[0] as number, target.plugin, into, shape);
  }
  into.narrow();
  into.shape = shape;
}

function gatherBlock(
  produced: Produced,
  at: number,
  frame: number,
  plugin: string,
  into: Gathered,
  shape: { rate: Float64Array; channels: Uint32Array; format: Uint8Array },
): void {
  const { u8, u32, f64, base } = produced;
  const r = at >> 2;
  const format = u8[at + BLOCK.format] as number;
  const data = u32[(at + BLOCK.data) >> 2] as number;
  const elements = u32[(at + BLOCK.data + 4) >> 2] as number;
  if (format > 1) throw badResult(plugin, `a block of the unknown format ${format} (frame ${frame})`);
  if (elements === 0) return;
  const bytes = format === 0 ? elements : elements * 4;
  const item = into.count;
  const to = into.next(frame);
  const w = into.records;
  const sourceLength = u32[r + 1] as number;
  const topicLength = u32[r + 3] as number;
  const source = within(produced, u32[r] as number, sourceLength, 'source', plugin, frame);
  const topic = within(produced, u32[r + 2] as number, topicLength, 'topic', plugin, frame);
  w[to] = into.keep(source, sourceLength, plugin);
  w[to + 1] = sourceLength;
  w[to + 2] = into.keep(topic, topicLength, plugin);
  w[to + 3] = topicLength;
  w[to + 4] = u32[r + 4] as number;
  w[to + 5] = u32[r + 5] as number;
  const start = within(produced, data, bytes, 'block', plugin, frame);
  w[to + 6] = start;
  w[to + 7] = bytes;
  w[to + 8] = 0;
  w[to + 9] = 0;
  into.holds(start, bytes);
  if (format === 1 && (data - base) % 4 !== 0)
    throw badResult(plugin, `f32 data at ${data}, not aligned (frame ${frame})`);
  shape.rate[item] = f64[(at + BLOCK.rate) >> 3] as number;
  shape.channels[item] = u32[(at + BLOCK.channels) >> 2] as number;
  shape.format[item] = format;
}

function newShape(count: number): BlockShape {
  return { rate: new Float64Array(count), channels: new Uint32Array(count), format: new Uint8Array(count) };
}

/** Checks bytes of a guest and gives their offset from the arena's begin. */
function within(
  produced: Produced,
  at: number,
  length: number,
  what: string,
  plugin: string,
  frame: number,
): number {
  if (length === 0) return 0;
  if (at < produced.base || at + length > produced.end) {
    throw badResult(plugin, `a ${what} of ${length} bytes at ${at}, outside of its arena (frame ${frame})`);
  }
  return at - produced.base;
}
