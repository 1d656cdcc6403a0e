import { isSame, LastView } from '../../runtime/index.js';

const WAYS = 4;
/** FNV-1a, the 32-bit offset basis and prime (draft-eastlake-fnv). */
const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
const NOTHING = new Uint8Array(0);

/**
 * Finds byte strings that have been seen before, a bounded number of them: each belongs to a group of
 * four places, and a new one takes the place that was filled longest ago. Places are what the caller hangs
 * its own things on. Nothing is allocated for a string that is found, or replaces a longer one.
 */
export class ByteCache {
  /** Number of places. */
  readonly places: number;
  readonly #groups: number;
  readonly #hashes: Int32Array;
  readonly #lengths: Int32Array;
  readonly #bytes: Uint8Array[];
  /** Of these: where there is one of what is looked through too, words are compared. */
  readonly #views: (DataView | undefined)[];
  readonly #next: Uint8Array;
  #hash = 0;
  #last = 0;
  /** What is looked through mostly is the same memory again. */
  readonly #read = new LastView();

  /** @param places a power of two, 4 or more */
  constructor(places: number) {
    this.places = places;
    this.#groups = places / WAYS;
    this.#hashes = new Int32Array(places);
    this.#lengths = new Int32Array(places).fill(-1);
    this.#bytes = new Array<Uint8Array>(places).fill(NOTHING);
    this.#views = new Array<DataView | undefined>(places).fill(undefined);
    this.#next = new Uint8Array(this.#groups);
  }

  /** The place of `bytes[start, end)`, -1 if it is not known. @param tag part of what is looked for, 0 to 255 */
  find(bytes: Uint8Array, start: number, end: number, tag: number): number {
    const view = this.#read.of(bytes);
    // What comes next is mostly what came last.
    if (this.#is(this.#last, bytes, view, start, end, tag)) return this.#last;
    let hash = BASIS ^ tag;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), PRIME);
    // The low bits choose the group, and FNV mixes upwards.
    hash ^= hash >>> 15;
    this.#hash = hash;
    const first = (hash & (this.#groups - 1)) * WAYS;
    for (let place = first; place < first + WAYS; place++) {
      if (this.#hashes[place] !== hash || !this.#is(place, bytes, view, start, end, tag)) continue;
      this.#last = place;
      return place;
    }
    return -1;
  }

  #is(
    place: number,
    bytes: Uint8Array,
    view: DataView | undefined,
    start: number,
    end: number,
    tag: number,
  ): boolean {
    const length = end - start;
    if (this.#lengths[place] !== length) return false;
    const known = this.#bytes[place] as Uint8Array;
    // The tag stands behind the string.
    if (known[length] !== tag) return false;
    if (view !== undefined) return isSame(view, start, end, this.#views[place] as DataView, 0);
    for (let i = 0; i < length; i++) if (known[i] !== bytes[start + i]) return false;
    return true;
  }

  /** Keeps what the last `find` did not find; returns its place, whose former string is forgotten. */
  keep(bytes: Uint8Array, start: number, end: number, tag: number): number {
    const group = this.#hash & (this.#groups - 1);
    const way = this.#next[group] as number;
    this.#next[group] = (way + 1) % WAYS;
    const place = group * WAYS + way;
    const length = end - start;
    let kept = this.#bytes[place] as Uint8Array;
    if (kept.length <= length) {
      kept = new Uint8Array(length + 1);
      this.#bytes[place] = kept;
      this.#views[place] = new DataView(kept.buffer);
    }
    for (let i = 0; i < length; i++) kept[i] = bytes[start + i] as number;
    kept[length] = tag;
    this.#hashes[place] = this.#hash;
    this.#lengths[place] = length;
    return place;
  }
}
