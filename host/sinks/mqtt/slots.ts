import { readVarint, varintSize } from '../../protocols/mqtt-wire/varint.js';
import type { Ticket } from '../sink.js';
import type { Segment } from './segments.js';

/** Life of a slot. `again`: was on the wire of an earlier connection, whose session is still there. */
export const FREE = 0;
export const WAITING = 1;
export const AGAIN = 2;
export const SENT = 3;
export const SETTLED = 4;

/** A packet as it lies in its segment. */
export interface Packet {
  readonly bytes: Buffer;
  readonly at: number;
  readonly length: number;
}

/**
 * The table of a window: a slot for each message, in a ring. Messages at QoS 0 that came one behind the other under one
 * ticket, and lie so, are one stretch: it has as many slots as messages, and all that is known of it stands at its first,
 * so that it is sent and settled at one go. Who has to look at each of its messages calls `split`.
 */
export class Slots {
  readonly size: number;
  /** Of a stretch: how many slots it has. */
  readonly count: Uint32Array;
  readonly state: Uint8Array;
  readonly qos: Uint8Array;
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  /** The write that it went out with. */
  readonly write: Uint32Array;
  readonly #segment: (Segment | undefined)[];
  readonly #ticket: (Ticket | undefined)[];

  constructor(size: number) {
    this.size = size;
    this.#segment = new Array<Segment | undefined>(size).fill(undefined);
    this.#ticket = new Array<Ticket | undefined>(size).fill(undefined);
    this.count = new Uint32Array(size);
    this.state = new Uint8Array(size);
    this.qos = new Uint8Array(size);
    this.offset = new Uint32Array(size);
    this.length = new Uint32Array(size);
    this.write = new Uint32Array(size);
  }

  /** The slot so many behind this one; not more than there are. */
  after(slot: number, by: number): number {
    const next = slot + by;
    return next >= this.size ? next - this.size : next;
  }

  segmentOf(slot: number): Segment {
    return this.#segment[slot]!;
  }

  ticketOf(slot: number): Ticket {
    return this.#ticket[slot]!;
  }

  /** From now on `ticket` is told what becomes of the message. */
  retell(slot: number, ticket: Ticket): void {
    this.#ticket[slot] = ticket;
  }

  isOpen(slot: number): boolean {
    return this.#segment[slot] !== undefined;
  }

  /** The packet at `segment.used` is that of this slot. */
  put(slot: number, segment: Segment, length: number, qos: number, ticket: Ticket): void {
    this.#segment[slot] = segment;
    this.#ticket[slot] = ticket;
    this.offset[slot] = segment.used;
    this.length[slot] = length;
    this.qos[slot] = qos;
    this.count[slot] = 1;
    this.state[slot] = WAITING;
  }

  /** Adds the packet at `segment.used` to the stretch that begins here and ends before it; false: it does not belong there. */
  extend(slot: number, segment: Segment, length: number, ticket: Ticket): boolean {
    if (this.state[slot] !== WAITING || this.qos[slot] !== 0 || this.#ticket[slot] !== ticket) return false;
    if (this.#segment[slot] !== segment) return false;
    const before = this.length[slot]!;
    if (this.offset[slot]! + before !== segment.used) return false;
    this.length[slot] = before + length;
    this.count[slot] = this.count[slot]! + 1;
    return true;
  }

  /** Each message of the stretch that begins here stands in a slot for itself from here on. */
  split(first: number): void {
    const count = this.count[first]!;
    if (count === 1) return;
    const segment = this.#segment[first]!;
    let at = this.offset[first]!;
    for (let i = 0, slot = first; i < count; i++, slot = this.after(slot, 1)) {
      const length = packetSize(segment.bytes, at);
      this.#segment[slot] = segment;
      this.#ticket[slot] = this.#ticket[first];
      this.offset[slot] = at;
      this.length[slot] = length;
      this.write[slot] = this.write[first]!;
      this.qos[slot] = 0;
      this.count[slot] = 1;
      this.state[slot] = this.state[first]!;
      at += length;
    }
  }

  /** What stands here is settled. */
  end(slot: number): void {
    this.#ticket[slot] = undefined;
    this.#segment[slot] = undefined;
    this.state[slot] = SETTLED;
  }

  /** Bytes of a message's packet. */
  sizeOf(slot: number): number {
    return this.length[slot]!;
  }

  packetOf(slot: number): Packet {
    return { bytes: this.#segment[slot]!.bytes, at: this.offset[slot]!, length: this.length[slot]! };
  }

  /** The topic of a message, as bytes of its packet; for a report. */
  topicOf(slot: number): Buffer {
    const { bytes } = this.#segment[slot]!;
    const offset = this.offset[slot]!;
    const at = offset + 1 + varintSize(readVarint(bytes, offset + 1, offset + 5));
    return bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at));
  }
}

/** Bytes of the packet that begins here, its header included. */
function packetSize(bytes: Buffer, at: number): number {
  const remaining = readVarint(bytes, at + 1, at + 5);
  return 1 + varintSize(remaining) + remaining;
}
