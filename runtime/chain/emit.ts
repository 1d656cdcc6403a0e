import type { OutWriter } from '../batch/out-writer.js';
import { FAULT_CODES, FRAME, MESSAGE, PROPERTY, RESULT } from '../contract.js';
import { badResult } from '../instance/guest-error.js';
import type { Items, Produced } from '../instance/instance.js';

const MESSAGE_WORDS = MESSAGE.size >> 2;
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
  const { out, origins, faulted, stage, plugin } = target;
  let total = 0;
  for (let i = 0, r = produced.results >> 2; i < count; i++, r += RESULT.size >> 2) {
    const tag = u8[r << 2] as number;
    if (tag > 1) throw badResult(plugin, `a result with the discriminant ${tag} (frame ${i})`);
    if (tag === 0) total += checkList(produced, u32[r + 1] as number, u32[r + 2] as number, plugin, i);
  }
  const pen = new MessagePen(produced, target, total);
  for (let i = 0, r = produced.results >> 2; i < count; i++, r += RESULT.size >> 2) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    if (u8[r << 2] === 0) {
      const offset = pen.at;
      const some = u32[r + 2] as number;
      pen.write((u32[r + 1] as number) >> 2, some, i);
      pen.account(frame, some, offset);
      continue;
    }
    const kind = u32[r + 1] as number;
    const code = FAULT_CODES[kind & 0xff];
    if (code === undefined) throw badResult(plugin, `an unknown fault (${kind & 0xff}) for frame ${i}`);
    const text = u32[r + 2] as number;
    const length = u32[r + 3] as number;
    if (length > 0 && (text < produced.base || text + length > produced.end)) {
      throw badResult(plugin, `a fault whose text lies outside of the arena (frame ${i})`);
    }
    faulted[frame] = 1;
    out.fault(frame, code, stage, length === 0 ? NO_TEXT : u8.subarray(text, text + length));
  }
}

/** Writes a plain list of messages (of a flush) as the outcome of `target.origins[0]`. */
export function emitMessages(produced: Produced, target: Target): void {
  checkList(produced, produced.results, produced.count, target.plugin, 0);
  const pen = new MessagePen(produced, target, produced.count);
  const offset = pen.at;
  pen.write(produced.results >> 2, produced.count, 0);
  pen.account(target.origins[0] as number, produced.count, offset);
}

/** Writes items as they are, one message each: what a chain gives out whose last stage is a kernel. */
export function emitItems(items: Items, target: Target): void {
  const { out, origins, faulted } = target;
  const region = out.copy(items.u8.subarray(items.base, items.base + items.length), 16);
  const type = out.copy(BLOCK_TYPE, 1);
  let at = out.reserve(items.count * MESSAGE.size, 8);
  const w = out.slab.u32;
  const { records } = items;
  for (let i = 0, r = items.recordsAt; i < items.count; i++, r += FRAME.size >> 2) {
    const frame = origins[i] as number;
    if (faulted[frame] === 1) continue;
    const to = at >> 2;
    w.fill(0, to, to + MESSAGE_WORDS);
    w[to] = (records[r + 2] as number) + region;
    w[to + 1] = records[r + 3] as number;
    w[to + 2] = (records[r + 6] as number) + region;
    w[to + 3] = records[r + 7] as number;
    w[to + 4] = records[r + 4] as number;
    w[to + 5] = records[r + 5] as number;
    w[to + 6] = type;
    w[to + 7] = BLOCK_TYPE.length;
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
    list % MESSAGE.align !== 0 ||
    list < produced.resultsStart ||
    list + length * MESSAGE.size > produced.end
  ) {
    throw badResult(plugin, `${length} messages at ${list}, outside of its results (frame ${frame})`);
  }
  return length;
}

/** Copies the produced bytes and writes message records that point into the copy. */
class MessagePen {
  /** Offset of the next record. */
  at: number;
  readonly #produced: Produced;
  readonly #target: Target;
  readonly #copyStart: number;
  readonly #copyAt: number;

  constructor(produced: Produced, target: Target, messages: number) {
    this.#produced = produced;
    this.#target = target;
    this.#copyStart = target.shared ? produced.resultsStart : produced.base;
    const { out } = target;
    this.#copyAt = out.copy(produced.u8.subarray(this.#copyStart, produced.end), 16);
    this.at = out.reserve(messages * MESSAGE.size, 8);
    out.at = this.at + messages * MESSAGE.size;
  }

  write(from: number, count: number, frame: number): void {
    const { u32, u8 } = this.#produced;
    for (let m = 0, r = from; m < count; m++, r += MESSAGE_WORDS) {
      // Property tuples may enlarge the slab: the view is taken for each message.
      const some = u32[r + 10] as number;
      const tuples = some === 0 ? 0 : this.#properties(u32[r + 9] as number, some, frame);
      const w = this.#target.out.slab.u32;
      const to = this.at >> 2;
      const flags = r * 4 + MESSAGE.qos;
      const qos = u8[flags] as number;
      if (qos > 2) throw badResult(this.#target.plugin, `a message with QoS ${qos} (frame ${frame})`);
      w[to] = this.#place(u32[r] as number, u32[r + 1] as number, 'topic', frame);
      w[to + 1] = u32[r + 1] as number;
      w[to + 2] = this.#place(u32[r + 2] as number, u32[r + 3] as number, 'payload', frame);
      w[to + 3] = u32[r + 3] as number;
      w[to + 4] = u32[r + 4] as number;
      w[to + 5] = u32[r + 5] as number;
      w[to + 6] = this.#place(u32[r + 6] as number, u32[r + 7] as number, 'content type', frame);
      w[to + 7] = u32[r + 7] as number;
      w[to + 8] = qos | (u8[flags + 1] === 0 ? 0 : 0x100);
      w[to + 9] = tuples;
      w[to + 10] = some;
      w[to + 11] = 0;
      this.at += MESSAGE.size;
    }
  }

  account(frame: number, count: number, offset: number): void {
    account(this.#target.out, frame, count, offset);
  }

  #properties(list: number, count: number, frame: number): number {
    const { out, plugin } = this.#target;
    const { u32, base, end } = this.#produced;
    if (list % PROPERTY.align !== 0 || list < base || list + count * PROPERTY.size > end) {
      throw badResult(plugin, `${count} properties at ${list}, outside of the arena (frame ${frame})`);
    }
    const at = out.reserve(count * PROPERTY.size, 8);
    out.at = at + count * PROPERTY.size;
    const w = out.slab.u32;
    for (let i = 0; i < count * 2; i++) {
      const from = (list >> 2) + i * 2;
      const to = (at >> 2) + i * 2;
      w[to] = this.#place(u32[from] as number, u32[from + 1] as number, 'property', frame);
      w[to + 1] = u32[from + 1] as number;
    }
    return at;
  }

  /** The offset in the slab of `length` bytes at `at` in the guest; empty texts may point anywhere. */
  #place(at: number, length: number, what: string, frame: number): number {
    const produced = this.#produced;
    if (length === 0) return 0;
    if (at >= this.#copyStart && at + length <= produced.end) return at - this.#copyStart + this.#copyAt;
    if (this.#target.shared && at >= produced.base && at + length <= produced.inputEnd)
      return at - produced.base;
    throw badResult(
      this.#target.plugin,
      `a ${what} of ${length} bytes at ${at}, outside of its arena [${produced.base}, ${produced.end}) (frame ${frame})`,
    );
  }
}
