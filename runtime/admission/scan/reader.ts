import { SluiceError } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { malformed, skipSigned, skipUnsigned } from './leb.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Names up to here are cheaper letter by letter than through the decoder, if they are ASCII. */
const SHORT_NAME = 32;

/** Reads a stretch of a file from left to right, never past its end. All errors name the byte. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly end: number;
  /** The next byte to read, from the start of the file. */
  at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** @throws SluiceError SLUICE_MODULE_MALFORMED, always */
  fail(what: string, at: number = this.at): never {
    return malformed(at, what);
  }

  byte(): number {
    if (this.at >= this.end) this.fail('cut off');
    return this.bytes[this.at++]!;
  }

  /** The next byte, which stays to be read. */
  peek(): number {
    if (this.at >= this.end) this.fail('cut off');
    return this.bytes[this.at]!;
  }

  skip(count: number): void {
    if (count > this.end - this.at) this.fail('cut off');
    this.at += count;
  }

  u32(): number {
    const first = this.bytes[this.at]!;
    if (first < 0x80 && this.at < this.end) {
      this.at++;
      return first;
    }
    const from = this.at;
    this.at = skipUnsigned(this.bytes, from, this.end, 32);
    return this.#value(from);
  }

  /** Exact up to 2^53, which is beyond any size that is admitted. */
  u64(): number {
    const from = this.at;
    this.at = skipUnsigned(this.bytes, from, this.end, 64);
    return this.#value(from);
  }

  s32(): number {
    const from = this.at;
    this.at = skipSigned(this.bytes, from, this.end, 32);
    return this.#signed(from);
  }

  /** A type index, or the negative number of a type that has a name. */
  s33(): number {
    const from = this.at;
    this.at = skipSigned(this.bytes, from, this.end, 33);
    return this.#signed(from);
  }

  s64(): bigint {
    const from = this.at;
    this.at = skipSigned(this.bytes, from, this.end, 64);
    let value = 0n;
    for (let i = this.at - 1; i >= from; i--) value = (value << 7n) | BigInt(this.bytes[i]! & 0x7f);
    return BigInt.asIntN(7 * (this.at - from), value);
  }

  /**
   * Length of a list.
   * @throws SluiceError SLUICE_MODULE_CEILING more than `most`; SLUICE_MODULE_MALFORMED more than the bytes can hold
   */
  count(most: number, what: string): number {
    const from = this.at;
    const count = this.u32();
    if (count > most) {
      throw new SluiceError(
        'SLUICE_MODULE_CEILING',
        `at byte ${from}: ${count} ${what}, the ceiling is ${most}, which no policy raises`,
      );
    }
    if (count > this.end - this.at) this.fail(`${count} ${what} in ${this.end - this.at} bytes`, from);
    return count;
  }

  /** Length of a list that is only counted, whatever its length. */
  length(what: string): number {
    return this.count(Number.POSITIVE_INFINITY, what);
  }

  name(): string {
    const from = this.at;
    const length = this.count(LIMITS.name, 'bytes of a name');
    const start = this.at;
    this.at += length;
    if (length > SHORT_NAME) return this.#decode(from, start);
    let text = '';
    for (let i = start; i < this.at; i++) {
      const byte = this.bytes[i]!;
      if (byte >= 0x80) return this.#decode(from, start);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #decode(from: number, start: number): string {
    const text = this.bytes.subarray(start, this.at);
    try {
      // TextDecoder refuses memory that threads share.
      return decoder.decode(text.buffer instanceof SharedArrayBuffer ? text.slice() : text);
    } catch {
      return this.fail('a name is not UTF-8', from);
    }
  }

  /** Everything has been read. */
  done(): void {
    if (this.at !== this.end) this.fail(`${this.end - this.at} bytes too many in a section`);
  }

  /** Without bit operations: they end at 32 bits. */
  #value(from: number): number {
    let value = 0;
    for (let i = this.at - 1; i >= from; i--) value = value * 128 + (this.bytes[i]! & 0x7f);
    return value;
  }

  #signed(from: number): number {
    const negative = (this.bytes[this.at - 1]! & 0x40) !== 0;
    return negative ? this.#value(from) - 2 ** (7 * (this.at - from)) : this.#value(from);
  }
}
