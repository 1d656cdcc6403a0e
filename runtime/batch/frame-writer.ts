import { FRAME } from '../contract.js';
import { SluiceError } from '../errors.js';
import { PropertyImage } from './property-image.js';
import { alignUp, HEADER, OPERATION, type Slab } from './slab.js';
import type { Stamp } from './stamp.js';
import { copyWords, FEW_BYTES, LastView } from './words.js';

/**
 * A string or property list that many frames share: copied into a slab once, then named by its offset.
 * It may be given another content: frames that were pushed before keep what they had.
 */
export class Interned {
  bytes: Buffer;
  /** Bytes in use; there may be spare ones behind them. */
  length: number;
  /** Number of the fill that `at` belongs to. */
  fill = -1;
  at = 0;
  /** Property tuples in `bytes` (0 for a string); their pointers are relative to `bytes`. */
  tuples: number;

  private constructor(bytes: Buffer, tuples: number) {
    this.bytes = bytes;
    this.length = bytes.length;
    this.tuples = tuples;
  }

  static text(text: string): Interned {
    return new Interned(Buffer.from(text, 'utf8'), 0);
  }

  static properties(list: readonly (readonly [string, string])[]): Interned {
    const image = new PropertyImage();
    image.begin();
    for (const [key, value] of list) {
      const name = Buffer.from(key, 'utf8');
      const text = Buffer.from(value, 'utf8');
      image.add(name, 0, name.length, text, 0, text.length);
    }
    image.end();
    return Interned.copy(image.bytes, 0, image.length, image.count);
  }

  /** @param tuples 0: a string in UTF-8; otherwise the image of a list of this many properties (`PropertyImage`) */
  static copy(bytes: Uint8Array, start: number, end: number, tuples: number): Interned {
    const interned = new Interned(Buffer.allocUnsafeSlow(end - start), tuples);
    interned.assign(bytes, start, end, tuples);
    return interned;
  }

  /** Takes over another content, as `copy`; allocates only when it is longer than any before. */
  assign(bytes: Uint8Array, start: number, end: number, tuples: number): void {
    const length = end - start;
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(length);
    const target = this.bytes;
    if (length < SHORT) for (let i = 0; i < length; i++) target[i] = bytes[start + i] as number;
    else if (Buffer.isBuffer(bytes)) bytes.copy(target, 0, start, end);
    else target.set(bytes.subarray(start, end));
    this.length = length;
    this.tuples = tuples;
    this.fill = -1;
  }
}

/** Below this a loop beats the call into the copy primitive. */
const SHORT = 40;
let fills = 0;
/** What frames were pushed from last. */
const pushed = new LastView();

/**
 * Packs frames into a slab. Bytes go straight to their place; the records are gathered beside and
 * appended by `finish`, so that the whole input is one piece. Nothing is allocated for a frame.
 */
export class FrameWriter {
  readonly slab: Slab;
  readonly #records: Uint32Array;
  readonly #limit: number;
  readonly #maxFrames: number;
  readonly #fill = ++fills;
  #at = 0;
  #count = 0;
  #published = false;

  /**
   * @param records scratch memory for the records, shared by all writers that are not open at once
   * @param limit input bytes (with records) that may be used; the rest is room for results
   */
  constructor(slab: Slab, records: Uint32Array, limit: number) {
    this.slab = slab;
    this.#records = records;
    this.#limit = limit;
    this.#maxFrames = Math.floor(records.length / (FRAME.size >> 2));
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of input so far, records included. */
  get used(): number {
    return alignUp(this.#at, 8) + this.#count * FRAME.size;
  }

  /** Worst-case bytes of a frame, strings not yet in the slab included. */
  static need(source: Interned, topic: Interned, properties: Interned | undefined, length: number): number {
    return FRAME.size + 16 + source.length + topic.length + (properties?.length ?? 0) + length;
  }

  /**
   * Returns false, and takes nothing, when the frame does not fit any more.
   * @throws SluiceError SLUICE_RING_PUBLISHED after `finish`: the slab belongs to the sandbox
   */
  push(
    source: Interned,
    topic: Interned,
    time: Stamp,
    bytes: Uint8Array,
    start: number,
    end: number,
    properties: Interned | undefined,
  ): boolean {
    if (this.#published)
      throw new SluiceError('SLUICE_RING_PUBLISHED', 'a frame was written to a slab after publish()');
    const length = end - start;
    if (this.used + FrameWriter.need(source, topic, properties, length) > this.#limit) return false;
    if (this.#count >= this.#maxFrames) return false;
    const sourceAt = this.#intern(source);
    const topicAt = this.#intern(topic);
    const propertiesAt = properties === undefined ? 0 : this.#intern(properties);
    const at = this.#at;
    const target = this.slab.u8;
    const view = length <= FEW_BYTES ? pushed.of(bytes) : undefined;
    if (view !== undefined) copyWords(view, start, end, this.slab.view, at);
    else if (length < SHORT) for (let i = 0; i < length; i++) target[at + i] = bytes[start + i] as number;
    else if (Buffer.isBuffer(bytes)) bytes.copy(target, at, start, end);
    else target.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at);
    this.#at = at + length;

    const records = this.#records;
    const word = this.#count++ * (FRAME.size >> 2);
    records[word] = sourceAt;
    records[word + 1] = source.length;
    records[word + 2] = topicAt;
    records[word + 3] = topic.length;
    records[word + 4] = time.low;
    records[word + 5] = time.high;
    records[word + 6] = at;
    records[word + 7] = length;
    records[word + 8] = propertiesAt;
    records[word + 9] = properties === undefined ? 0 : properties.tuples;
    return true;
  }

  /** Appends the records and fills the slab's header (`base` is its first word in `header`). */
  finish(header: Int32Array, base: number): void {
    this.#published = true;
    pushed.forget();
    const recordsAt = alignUp(this.#at, 8);
    const words = this.#count * (FRAME.size >> 2);
    this.slab.u32.set(this.#records.subarray(0, words), recordsAt >> 2);
    header.fill(0, base, base + HEADER.words);
    header[base + HEADER.operation] = OPERATION.convert;
    header[base + HEADER.count] = this.#count;
    header[base + HEADER.dataEnd] = this.#at;
    header[base + HEADER.recordsAt] = recordsAt;
    header[base + HEADER.inputEnd] = recordsAt + this.#count * FRAME.size;
    header[base + HEADER.size] = this.slab.size;
  }

  #intern(item: Interned): number {
    if (item.fill === this.#fill) return item.at;
    const at = item.tuples > 0 ? alignUp(this.#at, 4) : this.#at;
    if (item.length === item.bytes.length) this.slab.u8.set(item.bytes, at);
    else item.bytes.copy(this.slab.u8, at, 0, item.length);
    if (item.tuples > 0) {
      const words = this.slab.u32;
      for (let i = 0; i < item.tuples * 2; i++)
        words[(at >> 2) + i * 2] = (words[(at >> 2) + i * 2] as number) + at;
    }
    item.fill = this.#fill;
    item.at = at;
    this.#at = at + item.length;
    return at;
  }
}
