import { packetName } from './constants.js';
import { malformed, type ProtocolCode } from './malformed.js';
import { readVarint, VARINT_BAD, VARINT_MORE, varintSize } from './varint.js';

/** What a connection says of a packet before its body has come. */
export interface PacketRules {
  readonly code: ProtocolCode;
  /** @throws SluiceError if a packet that begins with this byte may not come now */
  admit(first: number): void;
  /** The most bytes of a packet that begins with this byte that are kept for the reader. */
  limit(first: number): number;
  /**
   * A packet of `size` bytes is larger than `limit`. How many of its first bytes are wanted all the same;
   * the rest is passed over.
   * @throws SluiceError if there is no use for any of it
   */
  oversize(first: number, size: number): number;
}

/** A buffer of its own larger than this is given back when it is empty. */
const KEEP_BYTES = 262_144;
const SMALLEST_BYTES = 64;

/**
 * Cuts the bytes of one connection into packets, as they come, in pieces of any size (5.0 §2.1, 3.1.1 §2.2).
 * A packet that lies in one piece is not copied. The reader pulls, so that it can stop in the middle of a
 * piece: `hold` keeps what it has not taken.
 */
export class PacketStream {
  /** The current packet: its first byte, and its body at `bytes[start, end)`. */
  bytes: Buffer = Buffer.alloc(0);
  first = 0;
  start = 0;
  end = 0;
  /** Bytes of the body that are left out, as the packet is larger than the limit. */
  left = 0;

  readonly #rules: PacketRules;
  #chunk: Buffer = this.bytes;
  #at = 0;
  #own: Buffer = Buffer.alloc(0);
  #ownAt = 0;
  #ownEnd = 0;
  #skip = 0;
  /** Of the packet that was sized last: all of it, and what lies in front of its body. */
  #whole = 0;
  #head = 0;

  constructor(rules: PacketRules) {
    this.#rules = rules;
  }

  /** Bytes of packets that are not complete, or not taken. */
  get pending(): number {
    return this.#ownEnd - this.#ownAt + this.#skip;
  }

  /** The next piece. Everything of the last one has been taken or held. */
  feed(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Steps to the next packet; false: more bytes are needed, and the piece may be overwritten.
   * @throws SluiceError with the code of the rules
   */
  next(): boolean {
    if (this.#skip > 0) this.#passOver();
    if (this.#ownEnd > this.#ownAt) return this.#nextOwn();
    if (this.#ownEnd > 0) this.#emptied();
    const chunk = this.#chunk;
    const at = this.#at;
    if (at === chunk.length) return false;
    const size = this.#sizeAt(chunk, at, chunk.length);
    if (size === 0 || at + size > chunk.length) {
      this.#keep(chunk.length - at, size);
      return false;
    }
    this.#at = at + size;
    this.#stand(chunk, at, size);
    return true;
  }

  /** The current packet is not taken: it comes again, and all that follows it is kept. */
  hold(): void {
    const size = this.#head + this.end - this.start;
    this.#skip = 0;
    if (this.bytes === this.#own) this.#ownAt -= size;
    else this.#at -= size;
    const rest = this.#chunk.length - this.#at;
    if (rest > 0) this.#keep(rest, 0);
  }

  /** The first packet of what is kept, fed with what it lacks. */
  #nextOwn(): boolean {
    let size = this.#sizeAt(this.#own, this.#ownAt, this.#ownEnd);
    while (size === 0 && this.#at < this.#chunk.length) {
      this.#keep(1, 0);
      size = this.#sizeAt(this.#own, this.#ownAt, this.#ownEnd);
    }
    if (size === 0) return false;
    const lacks = size - (this.#ownEnd - this.#ownAt);
    if (lacks > 0) {
      const there = Math.min(lacks, this.#chunk.length - this.#at);
      this.#keep(there, size);
      if (there < lacks) return false;
    }
    this.#ownAt += size;
    this.#stand(this.#own, this.#ownAt - size, size);
    return true;
  }

  #stand(bytes: Buffer, at: number, size: number): void {
    this.bytes = bytes;
    this.first = bytes[at]!;
    this.start = at + this.#head;
    this.end = at + size;
    this.left = this.#whole - size;
    this.#skip = this.left;
  }

  /** Bytes of the packet at `at` that are wanted, 0 while its length is not complete. */
  #sizeAt(bytes: Buffer, at: number, end: number): number {
    const first = bytes[at]!;
    const rules = this.#rules;
    // What cannot be right is refused at once, before its body is waited for.
    rules.admit(first);
    const remaining = readVarint(bytes, at + 1, end);
    if (remaining === VARINT_BAD)
      throw malformed(rules.code, `the remaining length of ${packetName(first >> 4)}`);
    if (remaining === VARINT_MORE) return 0;
    this.#head = 1 + varintSize(remaining);
    this.#whole = this.#head + remaining;
    return this.#whole > rules.limit(first) ? rules.oversize(first, this.#whole) : this.#whole;
  }

  #passOver(): void {
    const held = Math.min(this.#skip, this.#ownEnd - this.#ownAt);
    this.#skip -= held;
    this.#ownAt += held;
    const count = Math.min(this.#skip, this.#chunk.length - this.#at);
    this.#skip -= count;
    this.#at += count;
  }

  #emptied(): void {
    this.#ownAt = 0;
    this.#ownEnd = 0;
    if (this.#own.length > KEEP_BYTES) this.#own = Buffer.alloc(0);
  }

  /** Moves `count` bytes of the piece into memory of our own. @param whole size of the packet there, 0 if not known */
  #keep(count: number, whole: number): void {
    const held = this.#ownEnd - this.#ownAt;
    const need = Math.max(held + count, whole);
    if (this.#ownAt + need > this.#own.length) this.#makeRoom(need);
    this.#chunk.copy(this.#own, this.#ownEnd, this.#at, this.#at + count);
    this.#ownEnd += count;
    this.#at += count;
  }

  #makeRoom(need: number): void {
    const own = this.#own;
    const grown = Math.max(SMALLEST_BYTES, need, Math.min(2 * need, KEEP_BYTES));
    const target = need <= own.length ? own : Buffer.allocUnsafeSlow(grown);
    own.copy(target, 0, this.#ownAt, this.#ownEnd);
    this.#ownEnd -= this.#ownAt;
    this.#ownAt = 0;
    this.#own = target;
  }
}
