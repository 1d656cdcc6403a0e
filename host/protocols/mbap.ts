/**
 * Modbus TCP framing: finds whole ADUs in a TCP stream. No sockets, and no Buffer per frame: a frame is
 * two offsets into the chunk it came in; only a frame that is split over chunks is copied (260 bytes at
 * most, so a hostile peer cannot make it grow).
 *
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 (MBAP header), and MODBUS
 * Application Protocol V1.1b3, 4.1 (a PDU has at most 253 bytes).
 */
import { SluiceError } from '../../runtime/index.js';

/** Offsets into an ADU; all numbers in it are big-endian. */
export const MBAP = {
  transaction: 0,
  protocol: 2,
  length: 4,
  unit: 6,
  function: 7,
  data: 8,
  /** The length field counts what is behind it: unit and function are the least, a full PDU the most. */
  minLength: 2,
  maxLength: 254,
  maxAdu: 260,
} as const;

/** Bytes up to and with the length field: enough to know how long a frame is. */
const PREFIX = 6;
const NOTHING = new Uint8Array(0);

/**
 * An incremental parser that is also the cursor on the frame it found: `feed` a chunk, then call `next`
 * until it says false. Once `next` has thrown, only `reset` makes the parser usable again.
 */
export class MbapParser {
  /** The current frame is `bytes[start, end)`, valid until the next call of any method. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  transaction = 0;
  unit = 0;
  function = 0;

  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #limit = 0;
  readonly #carry = new Uint8Array(MBAP.maxAdu);
  #carried = 0;

  /** Bytes of a frame whose end has not come yet. */
  get partial(): number {
    return this.#carried;
  }

  /** Lends `chunk[start, end)` until `next` says false; the chunk before it must be used up. */
  feed(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    if (this.#at < this.#limit) {
      throw new SluiceError('SLUICE_INTERNAL', 'mbap: a chunk was fed before the one before it was used up');
    }
    this.#chunk = chunk;
    this.#at = start;
    this.#limit = end;
  }

  /**
   * Moves to the next whole frame; false when the chunk is used up.
   * @throws SluiceError SLUICE_SOURCE_PROTOCOL: protocol id or length are not Modbus TCP
   */
  next(): boolean {
    if (this.#carried > 0) return this.#nextCarried();
    const at = this.#at;
    const have = this.#limit - at;
    if (have < PREFIX) return this.#fill(have);
    const size = aduSize(this.#chunk, at);
    if (have < size) return this.#fill(have);
    this.#at = at + size;
    return this.#show(this.#chunk, at, at + size);
  }

  /**
   * Takes the current frame back: gives a copy of it and of everything behind it, to be fed again later.
   * For a reader that finds no room for a frame and stops reading.
   */
  takeBack(): Uint8Array {
    const size = this.end - this.start;
    const copy = new Uint8Array(size + this.#limit - this.#at);
    copy.set(this.bytes.subarray(this.start, this.end));
    copy.set(this.#chunk.subarray(this.#at, this.#limit), size);
    this.reset();
    return copy;
  }

  /** The memory that was lent is going to be used for something else: copies what is not used up. */
  keep(): void {
    const rest = Uint8Array.prototype.slice.call(this.#chunk, this.#at, this.#limit);
    this.#chunk = rest;
    this.#at = 0;
    this.#limit = rest.length;
  }

  /** Forgets everything: a new connection begins. */
  reset(): void {
    this.#chunk = NOTHING;
    this.bytes = NOTHING;
    this.#at = this.#limit = this.#carried = this.start = this.end = 0;
  }

  #nextCarried(): boolean {
    if (this.#carried < PREFIX && !this.#fill(PREFIX - this.#carried)) return false;
    const size = aduSize(this.#carry, 0);
    if (!this.#fill(size - this.#carried)) return false;
    this.#carried = 0;
    return this.#show(this.#carry, 0, size);
  }

  /** Copies up to `wanted` bytes behind what is carried; true if all of a carried frame's were there. */
  #fill(wanted: number): boolean {
    const carried = this.#carried;
    const count = Math.min(wanted, this.#limit - this.#at);
    for (let i = 0; i < count; i++) this.#carry[carried + i] = this.#chunk[this.#at + i]!;
    this.#carried = carried + count;
    this.#at += count;
    return carried > 0 && count === wanted;
  }

  #show(bytes: Uint8Array, start: number, end: number): true {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.transaction = u16(bytes, start + MBAP.transaction);
    this.unit = bytes[start + MBAP.unit]!;
    this.function = bytes[start + MBAP.function]!;
    return true;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function aduSize(bytes: Uint8Array, at: number): number {
  const protocol = u16(bytes, at + MBAP.protocol);
  const length = u16(bytes, at + MBAP.length);
  if (protocol !== 0) throw malformed(bytes, at, `protocol id ${protocol} where Modbus has 0`);
  if (length < MBAP.minLength || length > MBAP.maxLength) {
    throw malformed(bytes, at, `length ${length} outside ${MBAP.minLength}-${MBAP.maxLength}`);
  }
  return PREFIX + length;
}

function malformed(bytes: Uint8Array, at: number, what: string): SluiceError {
  const header = Buffer.from(bytes.subarray(at, at + PREFIX));
  const text = header.toString('latin1');
  // Something that speaks in texts is no PLC: a web server, for one, or a printer.
  const read = /^[\x20-\x7e]{4}/.test(text) ? `, as text ${JSON.stringify(text)}: no Modbus device` : '';
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', `${what} (header ${header.toString('hex')}${read})`);
}
