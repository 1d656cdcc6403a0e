import { alignUp } from '../batch/slab.js';
import { FRAME, PROPERTY } from '../contract.js';
import { SluiceError } from '../errors.js';
import { badResult } from './guest-error.js';
import type { Items, Produced } from './instance.js';

const FRAME_WORDS = FRAME.size >> 2;
const TUPLE_WORDS = PROPERTY.size >> 2;

/** Exports that every core module has (contract.ts, ARENA_EXPORTS). */
export interface ArenaExports {
  readonly memory: WebAssembly.Memory;
  sluice_arena(size: number): number;
  sluice_arena_end(): number;
}

/**
 * The guest's memory as the host sees it: lends an arena, copies items in, and keeps the views fresh (a
 * guest may grow its memory in any call, which detaches them).
 */
export class Arena {
  readonly #exports: ArenaExports;
  readonly #plugin: string;
  #u8: Uint8Array = new Uint8Array(0);
  #u32: Uint32Array = new Uint32Array(0);
  #f64: Float64Array = new Float64Array(0);
  readonly produced: Produced = {
    u8: this.#u8,
    u32: this.#u32,
    f64: this.#f64,
    base: 0,
    inputEnd: 0,
    resultsStart: 0,
    end: 0,
    results: 0,
    count: 0,
    answers: undefined,
  };

  constructor(exports: ArenaExports, plugin: string) {
    this.#exports = exports;
    this.#plugin = plugin;
    this.#views();
  }

  get u8(): Uint8Array {
    return this.#u8;
  }

  get u32(): Uint32Array {
    return this.#u32;
  }

  /** Lends `size` bytes to the host; gives their address. */
  begin(size: number): number {
    const base = this.#exports.sluice_arena(size) >>> 0;
    this.#views();
    if (base === 0) {
      throw new SluiceError(
        'SLUICE_GUEST_MEMORY',
        `${this.#plugin} has no memory for ${size} bytes of input (its memory is ${this.#u8.length} bytes)`,
        { step: 'run', plugin: this.#plugin },
      );
    }
    if ((base & 15) !== 0)
      throw badResult(this.#plugin, `an arena at ${base}, which is not a multiple of 16`);
    if (base + size > this.#u8.length) {
      throw badResult(
        this.#plugin,
        `an arena of ${size} bytes at ${base}, beyond its memory of ${this.#u8.length} bytes`,
      );
    }
    const produced = this.produced;
    produced.base = base;
    produced.inputEnd = base;
    produced.resultsStart = base + size;
    return base;
  }

  /**
   * Copies the items into a fresh arena and rebases their pointers. Property tuples are written anew, once for
   * items that stand side by side and share a list.
   * @returns address of the first frame record
   */
  lend(items: Items): number {
    const { records, recordsAt, count, length } = items;
    let tuples = 0;
    let list = -1;
    let listed = 0;
    for (let i = 0, w = recordsAt + 8; i < count; i++, w += FRAME_WORDS) {
      const some = records[w + 1] as number;
      if (some === 0 || (some === listed && records[w] === list)) continue;
      list = records[w] as number;
      listed = some;
      tuples += some;
    }
    const tail = items.tail === undefined ? 0 : items.tail.length;
    const framesAt = alignUp(length + tail, 8);
    const tuplesAt = framesAt + count * FRAME.size;
    const base = this.begin(tuplesAt + tuples * PROPERTY.size);
    this.#u8.set(items.u8.subarray(items.base, items.base + length), base);
    if (items.tail !== undefined) this.#u8.set(items.tail, base + length);

    const words = this.#u32;
    let to = (base + framesAt) >> 2;
    let tupleTo = (base + tuplesAt) >> 2;
    let listAt = base;
    list = -1;
    listed = 0;
    for (let i = 0, w = recordsAt; i < count; i++, w += FRAME_WORDS, to += FRAME_WORDS) {
      words[to] = (records[w] as number) + base;
      words[to + 1] = records[w + 1] as number;
      words[to + 2] = (records[w + 2] as number) + base;
      words[to + 3] = records[w + 3] as number;
      words[to + 4] = records[w + 4] as number;
      words[to + 5] = records[w + 5] as number;
      words[to + 6] = (records[w + 6] as number) + base;
      words[to + 7] = records[w + 7] as number;
      const some = records[w + 9] as number;
      if (some > 0 && (some !== listed || records[w + 8] !== list)) {
        list = records[w + 8] as number;
        listed = some;
        listAt = tupleTo << 2;
        this.#tuples(items, list + base, some, tupleTo);
        tupleTo += some * TUPLE_WORDS;
      }
      words[to + 8] = some === 0 ? base : listAt;
      words[to + 9] = some;
    }
    this.produced.inputEnd = base + length;
    return base + framesAt;
  }

  /** Takes the arena's end after a call, with fresh views. */
  close(): Produced {
    const end = this.#exports.sluice_arena_end() >>> 0;
    this.#views();
    const produced = this.produced;
    if (end < produced.resultsStart || end > this.#u8.length) {
      throw badResult(
        this.#plugin,
        `an arena end of ${end}, outside of [${produced.resultsStart}, ${this.#u8.length}]`,
      );
    }
    produced.u8 = this.#u8;
    produced.u32 = this.#u32;
    produced.f64 = this.#f64;
    produced.end = end;
    return produced;
  }

  /** A return area of `size` bytes must lie behind the input and be aligned. */
  returnArea(address: number, size: number, align: number): number {
    const at = address >>> 0;
    const { resultsStart, end } = this.produced;
    if (at < resultsStart || at + size > end || at % align !== 0) {
      throw badResult(
        this.#plugin,
        `a return area at ${at}, outside of its results [${resultsStart}, ${end})`,
      );
    }
    return at;
  }

  #tuples(items: Items, at: number, count: number, to: number): void {
    const words = this.#u32;
    const base = this.produced.base;
    const shift = base - items.tuplesBase;
    const from = at >> 2;
    for (let i = 0; i < count * TUPLE_WORDS; i += 2) {
      const length = words[from + i + 1] as number;
      // An empty text of the stage before may point anywhere.
      words[to + i] = length === 0 ? base : (words[from + i] as number) + shift;
      words[to + i + 1] = length;
    }
  }

  #views(): void {
    const buffer = this.#exports.memory.buffer;
    if (this.#u8.buffer === buffer && this.#u8.length === buffer.byteLength) return;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer);
  }
}
