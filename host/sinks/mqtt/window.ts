import type { MessageView } from '../../../sandbox/index.js';
import { type Adaptation, adaptPublish } from '../../protocols/mqtt-wire/adapt.js';
import { PUBLISH_FLAG } from '../../protocols/mqtt-wire/constants.js';
import { readVarint, varintSize } from '../../protocols/mqtt-wire/varint.js';
import type { MessageId } from '../message-id.js';
import type { Ticket } from '../sink.js';
import { type Segment, SegmentStore } from './segments.js';
import { SlotIds } from './slot-ids.js';

/** Life of a slot. `again`: was on the wire of an earlier connection, whose session is still there. */
const FREE = 0;
const WAITING = 1;
const AGAIN = 2;
const SENT = 3;
const SETTLED = 4;

/** Packet identifiers have 16 bits and 0 is not one (5.0 §2.2.1). */
const MOST_MESSAGES = 65_535;

/** Packets that lie one behind the other in one segment: one write. */
export interface Run {
  /** Pinned until the write has come to its end. */
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly count: number;
  /** How many of them have QoS 1 and so wait for a PUBACK. */
  readonly confirmed: number;
  readonly write: number;
}

/**
 * The messages that a sink has taken and not settled, in the order in which they came: a ring of slots
 * over a SegmentStore. A slot's index + 1 is its packet identifier, so an acknowledgement finds it
 * without a map, and an identifier is not used again before its message is settled [MQTT-2.2.1-4].
 */
export class SendWindow {
  readonly store: SegmentStore;
  readonly #slots: number;
  readonly #segment: (Segment | undefined)[];
  readonly #ticket: (Ticket | undefined)[];
  readonly #offset: Uint32Array;
  readonly #length: Uint32Array;
  readonly #write: Uint32Array;
  readonly #qos: Uint8Array;
  readonly #state: Uint8Array;
  #head = 0;
  #next = 0;
  #used = 0;
  #unsent = 0;
  #inFlight = 0;
  #writes = 0;
  #taken = 0;
  #ids: SlotIds | undefined;

  /** @param messages at most 65,535 */
  constructor(messages: number, bytes: number) {
    this.store = new SegmentStore(bytes);
    this.#slots = Math.max(1, Math.min(messages, MOST_MESSAGES));
    this.#segment = new Array<Segment | undefined>(this.#slots).fill(undefined);
    this.#ticket = new Array<Ticket | undefined>(this.#slots).fill(undefined);
    this.#offset = new Uint32Array(this.#slots);
    this.#length = new Uint32Array(this.#slots);
    this.#write = new Uint32Array(this.#slots);
    this.#qos = new Uint8Array(this.#slots);
    this.#state = new Uint8Array(this.#slots);
  }

  /** From now on what a packet does not carry of its message is kept too. */
  keepIds(): void {
    this.#ids ??= new SlotIds(this.#slots);
  }

  /** After `keepIds`. */
  get ids(): SlotIds {
    return this.#ids as SlotIds;
  }

  /** Messages taken and not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Messages that were ever taken, and of these those before the oldest that is not settled. */
  get taken(): number {
    return this.#taken;
  }

  get settled(): number {
    return this.#taken - this.#used;
  }

  /** Messages that went out on this connection and hold a slot. */
  get onWire(): number {
    return this.#used - this.#unsent;
  }

  /** True if a message has not gone out on this connection. */
  get hasUnsent(): boolean {
    return this.#unsent > 0;
  }

  get isFull(): boolean {
    return this.#used === this.#slots;
  }

  /** True if a quarter of the window is free: fewer, larger turns are cheaper than a call for each slot. */
  get hasRoom(): boolean {
    return (
      this.#inFlight === 0 ||
      (this.#used <= this.#slots - Math.ceil(this.#slots / 4) &&
        this.store.held <= this.store.limit - this.store.limit / 4)
    );
  }

  /** Packet identifier of the message that `push` takes next. */
  get nextId(): number {
    const slot = this.#head + this.#used;
    return (slot >= this.#slots ? slot - this.#slots : slot) + 1;
  }

  /** Takes the packet that was written at `segment.used`. The window is not full. */
  push(
    segment: Segment,
    length: number,
    qos: number,
    ticket: Ticket,
    view: MessageView,
    id: MessageId,
  ): void {
    const slot = this.nextId - 1;
    this.#ids?.set(slot, view, id);
    this.#segment[slot] = segment;
    this.#ticket[slot] = ticket;
    this.#offset[slot] = segment.used;
    this.#length[slot] = length;
    this.#qos[slot] = qos;
    this.#state[slot] = WAITING;
    segment.used += length;
    segment.pins += 1;
    this.#used += 1;
    this.#unsent += 1;
    this.#inFlight += 1;
    this.#taken += 1;
  }

  ticketOf(slot: number): Ticket {
    return this.#ticket[slot]!;
  }

  /** From now on `ticket` is told what becomes of the message. */
  retell(slot: number, ticket: Ticket): void {
    this.#ticket[slot] = ticket;
  }

  /** The packet of a message. */
  packetOf(slot: number): { readonly bytes: Buffer; readonly at: number; readonly length: number } {
    return { bytes: this.#segment[slot]!.bytes, at: this.#offset[slot]!, length: this.#length[slot]! };
  }

  /**
   * The packets that go out next; they count as sent. `quota` is how many at QoS 1 may go (5.0 §4.9);
   * what comes behind the quota waits too, so that order holds across qualities of service.
   */
  next(quota: number): Run | undefined {
    while (this.#unsent > 0 && this.#state[this.#next] === SETTLED) this.#step();
    if (this.#unsent === 0 || (quota === 0 && this.#qos[this.#next]! > 0)) return undefined;
    const first = this.#next;
    const segment = this.#segment[first]!;
    const start = this.#offset[first]!;
    this.#writes = (this.#writes + 1) >>> 0;
    let end = start;
    let count = 0;
    let confirmed = 0;
    while (this.#unsent > 0) {
      const slot = this.#next;
      if (this.#segment[slot] !== segment || this.#offset[slot] !== end) break;
      if (this.#qos[slot]! > 0) {
        if (confirmed === quota) break;
        confirmed += 1;
      }
      this.#state[slot] = SENT;
      this.#write[slot] = this.#writes;
      end += this.#length[slot]!;
      count += 1;
      this.#step();
    }
    segment.pins += 1;
    return { segment, start, end, first, count, confirmed, write: this.#writes };
  }

  /** The slot of a message at QoS 1 that is on the wire of this connection, -1 if there is none. */
  slotOf(packetId: number): number {
    const slot = packetId - 1;
    if (slot >= this.#slots || this.#state[slot] !== SENT || this.#qos[slot] === 0) return -1;
    return slot;
  }

  /**
   * Ends the messages at QoS 0 that went out with this write, and are not settled yet.
   * @param done told how many of a ticket, in their order; this window is as it says by then
   */
  settleTaken(run: Run, done: (ticket: Ticket, count: number) => void): void {
    let ticket: Ticket | undefined;
    let count = 0;
    for (let i = 0, slot = run.first; i < run.count; i++, slot = this.#after(slot)) {
      if (this.#write[slot] !== run.write || this.#state[slot] !== SENT || this.#qos[slot] !== 0) continue;
      const own = this.#ticket[slot]!;
      if (ticket !== undefined && own !== ticket) {
        this.#settled(run.segment, count);
        done(ticket, count);
        count = 0;
      }
      ticket = own;
      this.#end(slot);
      count += 1;
    }
    if (ticket === undefined) return;
    this.#settled(run.segment, count);
    done(ticket, count);
  }

  /** The oldest message at QoS 1 that went out on this connection and is not settled, -1 if there is none. */
  get firstSent(): number {
    for (let i = 0, slot = this.#head; i < this.onWire; i++, slot = this.#after(slot)) {
      if (this.#state[slot] === SENT && this.#qos[slot]! > 0) return slot;
    }
    return -1;
  }

  /** Bytes of a message's packet. */
  sizeOf(slot: number): number {
    return this.#length[slot]!;
  }

  /** The topic of a message, as bytes of its packet; for a report. */
  topicOf(slot: number): Buffer {
    const { bytes } = this.#segment[slot]!;
    const offset = this.#offset[slot]!;
    const at = offset + 1 + varintSize(readVarint(bytes, offset + 1, offset + 5));
    return bytes.subarray(at + 2, at + 2 + bytes.readUInt16BE(at));
  }

  /** Ends a message and returns its ticket. */
  settle(slot: number): Ticket {
    const ticket = this.#ticket[slot]!;
    const segment = this.#segment[slot]!;
    this.#end(slot);
    this.#settled(segment, 1);
    return ticket;
  }

  #end(slot: number): void {
    this.#ticket[slot] = undefined;
    this.#segment[slot] = undefined;
    this.#state[slot] = SETTLED;
  }

  /** So many messages of a segment have ended: what is free by that is free. */
  #settled(segment: Segment, count: number): void {
    this.#inFlight -= count;
    this.store.unpin(segment, count);
    while (this.#used > 0 && this.#state[this.#head] === SETTLED) {
      if (this.#used === this.#unsent) this.#step();
      this.#state[this.#head] = FREE;
      this.#head = this.#head + 1 === this.#slots ? 0 : this.#head + 1;
      this.#used -= 1;
    }
  }

  /**
   * A new connection: everything that is not settled goes out again, oldest first [MQTT-4.6.0-1], with
   * the identifiers it had [MQTT-4.4.0-1]. With the session present, QoS 1 that was sent before carries
   * DUP [MQTT-3.3.1-1]; without, the broker knows nothing of it and it is a new publication.
   * Returns how many were on the wire before.
   */
  rewind(sessionPresent: boolean): number {
    let again = 0;
    for (let i = 0, slot = this.#head; i < this.#used; i++, slot = this.#after(slot)) {
      const state = this.#state[slot];
      if (state === SETTLED) continue;
      if (state === SENT) again += 1;
      const repeat = sessionPresent && this.#qos[slot]! > 0 && (state === SENT || state === AGAIN);
      this.#state[slot] = repeat ? AGAIN : WAITING;
      const { bytes } = this.#segment[slot]!;
      const at = this.#offset[slot]!;
      bytes[at] = repeat ? bytes[at]! | PUBLISH_FLAG.dup : bytes[at]! & ~PUBLISH_FLAG.dup;
    }
    this.#next = this.#head;
    this.#unsent = this.#used;
    return again;
  }

  /**
   * Rewrites every packet for what the broker can take, and closes the gaps, so that packets still go out
   * many in one write. Only while nothing is on the wire.
   */
  adapt(how: Adaptation): void {
    let last: Segment | undefined;
    let free = 0;
    this.forEach(slot => {
      const segment = this.#segment[slot]!;
      const from = this.#offset[slot]!;
      const end = from + this.#length[slot]!;
      const at = adaptPublish(segment.bytes, from, end, how);
      const to = segment === last ? free : from;
      segment.bytes.copyWithin(to, at, end);
      this.#offset[slot] = to;
      this.#length[slot] = end - at;
      if (how.dropQos) this.#qos[slot] = 0;
      last = segment;
      free = to + end - at;
    });
  }

  /** Calls `visit` for each message that is not settled, oldest first; it may settle it. */
  forEach(visit: (slot: number, length: number) => void): void {
    const used = this.#used;
    for (let i = 0, slot = this.#head; i < used; i++, slot = this.#after(slot)) {
      if (this.#segment[slot] !== undefined) visit(slot, this.#length[slot]!);
    }
  }

  #after(slot: number): number {
    return slot + 1 === this.#slots ? 0 : slot + 1;
  }

  #step(): void {
    this.#next = this.#after(this.#next);
    this.#unsent -= 1;
  }
}
