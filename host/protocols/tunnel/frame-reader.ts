import { SluiceError, type Stamp } from '../../../runtime/index.js';
import { crc32cBits } from './crc32c.js';
import { HEADER, MAGIC, VERSION } from './wire.js';

const NOTHING = new Uint8Array(0);
const NO_VIEW = viewOf(NOTHING);
const HIGH = 2 ** 32;
/** What is allocated first for a frame that is split over chunks; it grows as bytes come, not as a header claims. */
const FIRST_CARRY = 512;
/** Bytes up to and with the length. */
const PREFIX = 8;
/** What a frame begins with, up to its type. */
const BEGIN = (MAGIC << 4) | VERSION;

/**
 * Finds the frames of a tunnel in a TCP stream, and is the cursor on the one it found: `feed` a chunk, then
 * call `next` until it says false. A frame that lies whole in its chunk is neither copied nor allocated for.
 * Once `next` has thrown, the stream is lost.
 */
export class FrameReader {
  /** The current frame is `bytes[start, end)`, valid until the next call of any method. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  type = 0;
  flags = 0;
  /** Exact up to 2^53. */
  sequence = 0;
  /** Most bytes of a frame. May be raised while the stream goes on. */
  maxFrame: number;

  /** Numbers are read through views: one load where bytes are four. */
  #view: DataView = NO_VIEW;
  #chunk: Uint8Array = NOTHING;
  #chunkView: DataView = NO_VIEW;
  #at = 0;
  #limit = 0;
  #carry: Uint8Array = NOTHING;
  #carryView: DataView = NO_VIEW;
  #carried = 0;

  constructor(maxFrame: number) {
    this.maxFrame = maxFrame;
  }

  /** Bytes of a frame whose end has not come yet. */
  get partial(): number {
    return this.#carried;
  }

  /** Bytes of memory that are held for a frame whose end has not come yet. */
  get held(): number {
    return this.#carry.length;
  }

  /** Offsets of the body; the check is behind it. */
  get bodyStart(): number {
    return this.start + HEADER.body;
  }

  get bodyEnd(): number {
    return this.end - HEADER.check;
  }

  /** The sender says when the frame was made. */
  get isStamped(): boolean {
    const at = this.start + HEADER.timestamp;
    return (this.#view.getInt32(at) | this.#view.getInt32(at + 4)) !== 0;
  }

  /** Sets `time` to what the sender says; gives it. */
  stamp(time: Stamp): Stamp {
    const at = this.start + HEADER.timestamp;
    return time.words(this.#view.getInt32(at + 4), this.#view.getInt32(at));
  }

  /** Lends the first `length` bytes of `chunk` until `next` says false; the one before it must be used up. */
  feed(chunk: Uint8Array, length = chunk.length): void {
    // Mostly it is the memory that was read into before.
    if (chunk !== this.#chunk) this.#lend(chunk);
    this.#at = 0;
    this.#limit = length;
  }

  /** The memory that was lent is going to be used for something else: copies what is not used up, the current frame with it. */
  keep(): void {
    const isCarried = this.bytes === this.#carry;
    const from = isCarried ? this.#at : this.start;
    const rest = Uint8Array.prototype.slice.call(this.#chunk, from, this.#limit);
    this.#lend(rest);
    this.#at -= from;
    this.#limit -= from;
    if (isCarried) return;
    this.bytes = rest;
    this.#view = this.#chunkView;
    this.start -= from;
    this.end -= from;
  }

  /**
   * Moves to the next whole frame whose check is right; false when the chunk is used up.
   * @throws SluiceError SLUICE_SOURCE_PROTOCOL, SLUICE_SOURCE_CHECKSUM, SLUICE_FRAME_TOO_LARGE
   */
  next(): boolean {
    if (this.#carried > 0) return this.#nextCarried();
    const at = this.#at;
    const have = this.#limit - at;
    if (have === 0) {
      // Between two frames nothing is kept of a large one.
      if (this.#carry.length > FIRST_CARRY) this.#hold(NOTHING);
      return false;
    }
    const size = this.#sizeAt(this.#chunk, this.#chunkView, at, have);
    if (have < size) return this.#fill(size);
    this.#at = at + size;
    return this.#show(this.#chunk, this.#chunkView, at, at + size);
  }

  #lend(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#chunkView = viewOf(chunk);
  }

  #hold(carry: Uint8Array): void {
    this.#carry = carry;
    this.#carryView = viewOf(carry);
  }

  #nextCarried(): boolean {
    if (this.#carried < PREFIX && !this.#fill(PREFIX)) {
      // What is wrong in the first byte is told at the first byte.
      this.#sizeAt(this.#carry, this.#carryView, 0, this.#carried);
      return false;
    }
    const size = this.#sizeAt(this.#carry, this.#carryView, 0, this.#carried);
    if (!this.#fill(size)) return false;
    this.#carried = 0;
    return this.#show(this.#carry, this.#carryView, 0, size);
  }

  /** Copies until `wanted` bytes are carried; true if they are. */
  #fill(wanted: number): boolean {
    const carried = this.#carried;
    const total = carried + Math.min(wanted - carried, this.#limit - this.#at);
    if (total > this.#carry.length) {
      const grown = new Uint8Array(Math.max(total, Math.min(wanted, 2 * this.#carry.length), FIRST_CARRY));
      grown.set(this.#carry.subarray(0, carried));
      this.#hold(grown);
    }
    const count = total - carried;
    this.#carry.set(this.#chunk.subarray(this.#at, this.#at + count), carried);
    this.#carried = total;
    this.#at += count;
    return total === wanted;
  }

  /** Bytes of the frame that begins here; `PREFIX` while that cannot be known. */
  #sizeAt(bytes: Uint8Array, view: DataView, at: number, have: number): number {
    if (have >= PREFIX && view.getUint16(at) >> 4 === BEGIN) {
      const size = view.getUint32(at + HEADER.length);
      if (size >= HEADER.least && size <= this.maxFrame) return size;
    }
    return this.#oddSizeAt(bytes, view, at, have);
  }

  /** Of one that is not there up to its length, or is none. */
  #oddSizeAt(bytes: Uint8Array, view: DataView, at: number, have: number): number {
    if (have > 0 && bytes[at] !== MAGIC) {
      throw this.#malformed(
        bytes,
        at,
        have,
        `byte ${hex(bytes[at]!)} where a frame begins with ${hex(MAGIC)}`,
      );
    }
    if (have > HEADER.kind && bytes[at + HEADER.kind]! >> 4 !== VERSION) {
      throw this.#malformed(
        bytes,
        at,
        have,
        `version ${bytes[at + HEADER.kind]! >> 4}; this end speaks ${VERSION}`,
      );
    }
    if (have < PREFIX) return PREFIX;
    const size = view.getUint32(at + HEADER.length);
    if (size < HEADER.least) {
      throw this.#malformed(
        bytes,
        at,
        have,
        `a length of ${size}, and the shortest frame has ${HEADER.least}`,
      );
    }
    if (size > this.maxFrame) {
      const what = `a frame of ${size} bytes, and ${this.maxFrame} are the most here`;
      throw new SluiceError('SLUICE_FRAME_TOO_LARGE', what);
    }
    return size;
  }

  #show(bytes: Uint8Array, view: DataView, start: number, end: number): true {
    // Mostly they are what they were, and to store an object costs more than to look.
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = view;
    }
    this.start = start;
    this.end = end;
    this.type = view.getUint8(start + HEADER.kind) & 0x0f;
    this.flags = view.getUint16(start + HEADER.flags);
    this.sequence = u64(view, start + HEADER.sequence);
    const told = view.getInt32(end - HEADER.check);
    const right = crc32cBits(bytes, start, end - HEADER.check);
    if (told === right) return true;
    const what = `a check of ${hex(told >>> 0)} where the bytes give ${hex(right >>> 0)} (type ${this.type}, ${end - start} bytes)`;
    throw new SluiceError('SLUICE_SOURCE_CHECKSUM', what);
  }

  #malformed(bytes: Uint8Array, at: number, have: number, what: string): SluiceError {
    const seen = Buffer.from(bytes.subarray(at, at + Math.min(have, PREFIX))).toString('hex');
    return new SluiceError('SLUICE_SOURCE_PROTOCOL', `${what} (begins ${seen})`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A number of eight bytes; above 2^53 it is rounded. */
function u64(view: DataView, at: number): number {
  return view.getUint32(at) * HIGH + view.getUint32(at + 4);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
