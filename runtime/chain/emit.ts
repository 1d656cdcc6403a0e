import type { OutWriter } from '../batch/out-writer.js';
import { FAULT_CODES, FRAME, MESSAGE, PROPERTY, RESULT } from '../contract.js';
import { badResult } from '../instance/guest-error.js';
import type { Items, Produced } from '../instance/instance.js';

const MESSAGE_WORDS = MESSAGE.size >> 2;
const RESULT_WORDS = RESULT.size >> 2;
const NO_TEXT = new Uint8Array(0);

/** Where the results of a run go: which frame of the slab each item stands for. */
export interface Target {
  out: OutWriter;
  /** Frame index of each item. */
  origins: Uint32Array;
  /** 1 for a frame that is already faulted: nothing more of it leaves. */
  faulted: Uint8Array;
  /** Index of the stage, kept in the outcome of a fault. */
  stage: number;
  plugin: string;
  /** The input region is the slab's own input: point there instead of copying it. */
  shared: boolean;
}

/**
 * Writes what a converter returned behind the input of the slab: its bytes in one piece, then message
 * records with slab-relative pointers. Every pointer and length is checked against the arena.
 * @throws SluiceError SLUICE_GUEST_RESULT or SLUICE_GUEST_OUTPUT; the slab's outcomes are then not final
 */
export function emitResults(produced: Produced, target: Target): void {
  const { u8, u32, count } = produced;
  const { origins, faulted, plugin } = target;
  const first = produced.results >> 2;
  let total = 0;
  for (let i = 0, r = first; i < count; i++, r += RESULT_WORDS) {
    const tag = u8[r << 2] as number;
    if (tag > 1) throw badResult(plugin, `a result with the discriminant ${tag} (frame ${i})`);
    if (tag === 0) total += checkList(produced, u32[r + 1] as number, u32[r + 2] as number, plugin, i);
  }
  const pen = new MessagePen(produced, target, total);
  for (let i = 0, r = first; i < count; i++, r += RESULT_WORDS) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    if (u8[r << 2] === 0) pen.write((u32[r + 1] as number) >> 2, u32[r + 2] as number, frame, i);
    else emitFault(produced, target, r, frame, i);
  }
}

/** Takes a fault that the guest returned down as the outcome of its frame. */
export function emitFault(
  produced: Produced,
  target: Target,
  result: number,
  frame: number,
  index: number,
): void {
  const { u8, u32 } = produced;
  const code = FAULT_CODES[u8[(result << 2) + RESULT.fault] as number];
  if (code === undefined) throw badResult(target.plugin, `an unknown fault for frame ${index}`);
  const text = u32[result + 2] as number;
  const length = u32[result + 3] as number;
  if (length > 0 && (text < produced.base || text + length > produced.end)) {
    throw badResult(target.plugin, `a fault whose text lies outside of the arena (frame ${index})`);
  }
  target.faulted[frame] = 1;
  target.out.fault(frame, code, target.stage, length === 0 ? NO_TEXT : u8.subarray(text, text + length));
}

/** Writes a plain list of messages (of a flush) as the outcome of `target.origins[0]`. */
export function emitMessages(produced: Produced, target: Target): void {
  checkList(produced, produced.results, produced.count, target.plugin, 0);
  const pen = new MessagePen(produced, target, produced.count);
  pen.write(produced.results >> 2, produced.count, target.origins[0] as number, 0);
}

/** Writes items as they are, one message each: what a chain gives out whose last stage is a kernel. */
export function emitItems(items: Items, target: Target): void {
  if (items.count === 0) return;
  const { out, origins, faulted } = target;
  const region = out.copy(items.u8.subarray(items.base, items.base + items.length), 16);
  const texts = items.tail === undefined ? region : out.copy(items.tail, 1) - items.length;
  const type = out.copy(BLOCK_TYPE, 1);
  let at = out.reserve(items.count * MESSAGE.size, 8);
  const w = out.slab.u32;
  const { records } = items;
  for (let i = 0, r = items.recordsAt; i < items.count; i++, r += FRAME.size >> 2) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    const to = at >> 2;
    w.fill(0, to, to + MESSAGE_WORDS);
    w[to] = (records[r + 2] as number) + texts;
    w[to + 1] = records[r + 3] as number;
    w[to + 2] = (records[r + 6] as number) + region;
    w[to + 3] = records[r + 7] as number;
    w[to + 4] = records[r + 4] as number;
    w[to + 5] = records[r + 5] as number;
    w[to + 6] = type;
    w[to + 7] = BLOCK_TYPE.length;
    // QoS 1, as the SDKs ask for: the sink's own setting decides.
    w[to + 8] = 1;
    account(out, frame, 1, at);
    at += MESSAGE.size;
  }
  out.at = at;
}

/** A kernel's block as it leaves a chain: little-endian samples. */
const BLOCK_TYPE = Buffer.from('application/octet-stream');

/** Adds messages to the outcome of a frame; they follow those that are already there. */
function account(out: OutWriter, frame: number, count: number, offset: number): void {
  const at = (out.outcomesAt >> 2) + frame * 4;
  const w = out.slab.u32;
  if (w[at + 1] === 0) w[at + 2] = offset;
  w[at + 1] = (w[at + 1] as number) + count;
}

/** A list of messages must lie in the results, aligned. Gives its length. */
export function checkList(
  produced: Produced,
  list: number,
  length: number,
  plugin: string,
  frame: number,
): number {
  if (length === 0) return 0;
  if (
    (list & (MESSAGE.align - 1)) !== 0 ||
    list < produced.resultsStart ||
    list + length * MESSAGE.size > produced.end
  ) {
    throw badResult(
      plugin,
      `${length} ${length === 1 ? 'message' : 'messages'} at ${list}, outside of its results (frame ${frame})`,
    );
  }
  return length;
}

/** Copies the produced bytes and writes message records that point into the copy. */
class MessagePen {
  readonly #produced: Produced;
  readonly #target: Target;
  readonly #out: OutWriter;
  /** What was copied begins here in the guest ... */
  readonly #copyStart: number;
  /** ... and is this much further in the slab. */
  readonly #shift: number;
  /** Offset of the next record. */
  #at: number;
  /** The properties that were written last: address and number in the guest, offset in the slab. */
  #list = 0;
  #listed = 0;
  #listAt = 0;

  constructor(produced: Produced, target: Target, messages: number) {
    const { out } = target;
    this.#produced = produced;
    this.#target = target;
    this.#out = out;
    this.#copyStart = target.shared ? produced.resultsStart : produced.base;
    this.#shift = out.copy(produced.u8.subarray(this.#copyStart, produced.end), 16) - this.#copyStart;
    this.#at = out.reserve(messages * MESSAGE.size, 8);
    out.at = this.#at + messages * MESSAGE.size;
  }

  /** Writes a list of messages as (part of) the outcome of `frame`; `index` names it in errors. */
  write(list: number, count: number, frame: number, index: number): void {
    const { u32, end } = this.#produced;
    const start = this.#copyStart;
    const shift = this.#shift;
    let w = this.#out.slab.u32;
    account(this.#out, frame, count, this.#at);
    let to = this.#at >> 2;
    this.#at += count * MESSAGE.size;
    for (let m = 0, r = list; m < count; m++, r += MESSAGE_WORDS, to += MESSAGE_WORDS) {
      const some = u32[r + 10] as number;
      let tuples = 0;
      if (some > 0) {
        tuples = this.#properties(u32[r + 9] as number, some, index);
        // They may have moved the slab to a larger one.
        w = this.#out.slab.u32;
      }
      const flags = (u32[r + 8] as number) & 0xffff;
      if ((flags & 0xff) > 2)
        throw badResult(this.#target.plugin, `a message with QoS ${flags & 0xff} (frame ${index})`);
      // Nearly all bytes are in what was copied; the others are looked at more closely.
      const topic = u32[r] as number;
      const topicLength = u32[r + 1] as number;
      const payload = u32[r + 2] as number;
      const payloadLength = u32[r + 3] as number;
      const type = u32[r + 6] as number;
      const typeLength = u32[r + 7] as number;
      const topicCopied = topic >= start && topic + topicLength <= end;
      const payloadCopied = payload >= start && payload + payloadLength <= end;
      const typeCopied = type >= start && type + typeLength <= end;
      w[to] = topicCopied ? topic + shift : this.#place(topic, topicLength, 'topic', index);
      w[to + 1] = topicLength;
      w[to + 2] = payloadCopied ? payload + shift : this.#place(payload, payloadLength, 'payload', index);
      w[to + 3] = payloadLength;
      w[to + 4] = u32[r + 4] as number;
      w[to + 5] = u32[r + 5] as number;
      w[to + 6] = typeCopied ? type + shift : this.#place(type, typeLength, 'content type', index);
      w[to + 7] = typeLength;
      w[to + 8] = (flags & 0xff) | ((flags & 0xff00) === 0 ? 0 : 0x100);
      w[to + 9] = tuples;
      w[to + 10] = some;
      w[to + 11] = 0;
    }
  }

  /** A list that the message before has too is written once. */
  #properties(list: number, count: number, index: number): number {
    if (list === this.#list && count === this.#listed) return this.#listAt;
    this.#listAt = this.#writeProperties(list, count, index);
    this.#list = list;
    this.#listed = count;
    return this.#listAt;
  }

  #writeProperties(list: number, count: number, index: number): number {
    const { u32, base, end } = this.#produced;
    if (list % PROPERTY.align !== 0 || list < base || list + count * PROPERTY.size > end) {
      throw badResult(
        this.#target.plugin,
        `${count} properties at ${list}, outside of the arena (frame ${index})`,
      );
    }
    const at = this.#out.reserve(count * PROPERTY.size, 8);
    this.#out.at = at + count * PROPERTY.size;
    const w = this.#out.slab.u32;
    for (let i = 0; i < count * 2; i++) {
      const from = (list >> 2) + i * 2;
      const to = (at >> 2) + i * 2;
      w[to] = this.#place(u32[from] as number, u32[from + 1] as number, 'property', index);
      w[to + 1] = u32[from + 1] as number;
    }
    return at;
  }

  /** The offset in the slab of `length` bytes at `at` in the guest; empty texts may point anywhere. */
  #place(at: number, length: number, what: string, index: number): number {
    const { base, inputEnd, end } = this.#produced;
    if (length === 0) return 0;
    if (at >= this.#copyStart && at + length <= end) return at + this.#shift;
    if (this.#target.shared && at >= base && at + length <= inputEnd) return at - base;
    throw badResult(
      this.#target.plugin,
      `a ${what} of ${length} bytes at ${at}, outside of its arena [${base}, ${end}) (frame ${index})`,
    );
  }
}
