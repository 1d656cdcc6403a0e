import { PROPERTY } from '../contract.js';

const WORDS = PROPERTY.size >> 2;

/**
 * Lays a list of properties out for `Interned.assign`: tuples first, then the strings they point to,
 * pointers relative to the beginning. Used again and again; memory only grows.
 */
export class PropertyImage {
  /** The image, good until the next `begin`; its bytes are `bytes[0, length)`. */
  bytes: Buffer = Buffer.alloc(256);
  length = 0;
  /** Properties in the list. */
  count = 0;
  #strings = Buffer.alloc(256);
  #used = 0;
  #tuples = new Uint32Array(8 * WORDS);

  begin(): void {
    this.count = 0;
    this.length = 0;
    this.#used = 0;
  }

  /** Adds a property; both strings are UTF-8 and are copied. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const word = this.count * WORDS;
    if (word + WORDS > this.#tuples.length) {
      const grown = new Uint32Array(2 * this.#tuples.length);
      grown.set(this.#tuples);
      this.#tuples = grown;
    }
    this.#tuples[word] = this.#copy(key, keyStart, keyEnd);
    this.#tuples[word + 1] = keyEnd - keyStart;
    this.#tuples[word + 2] = this.#copy(value, valueStart, valueEnd);
    this.#tuples[word + 3] = valueEnd - valueStart;
    this.count += 1;
  }

  /** Puts the image together. */
  end(): void {
    const head = this.count * PROPERTY.size;
    this.length = head + this.#used;
    if (this.length > this.bytes.length) this.bytes = Buffer.alloc(2 * this.length);
    for (let at = 0; at < this.count * WORDS; at += 2) {
      this.bytes.writeUInt32LE((this.#tuples[at] as number) + head, at * 4);
      this.bytes.writeUInt32LE(this.#tuples[at + 1] as number, at * 4 + 4);
    }
    this.#strings.copy(this.bytes, head, 0, this.#used);
  }

  /** Where the string lies among the strings. */
  #copy(from: Uint8Array, start: number, end: number): number {
    const at = this.#used;
    this.#used += end - start;
    if (this.#used > this.#strings.length) {
      const grown = Buffer.alloc(2 * this.#used);
      this.#strings.copy(grown, 0, 0, at);
      this.#strings = grown;
    }
    for (let i = start; i < end; i++) this.#strings[at + i - start] = from[i] as number;
    return at;
  }
}
