import type { MessageView } from '../../../sandbox/index.js';
import { type Adaptation, adaptPublish } from '../../protocols/mqtt-wire/adapt.js';
import { PUBLISH_FLAG } from '../../protocols/mqtt-wire/constants.js';
import type { MessageId } from '../message-id.js';
import type { Ticket } from '../sink.js';
import { type Segment, SegmentStore } from './segments.js';
import { SlotIds } from './slot-ids.js';
import { AGAIN, FREE, SENT, SETTLED, Slots, WAITING } from './slots.js';

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
  /** What stands in them is for `next` and those below to change. */
  readonly slots: Slots;
  #head = 0;
  #next = 0;
  #used = 0;
  #unsent = 0;
  #inFlight = 0;
  #writes = 0;
  #taken = 0;
  #ids: SlotIds | undefined;
  /** Where what was taken last begins. */
  #last = 0;

  /** @param messages at most 65,535 */
  constructor(messages: number, bytes: number) {
    this.store = new SegmentStore(bytes);
    this.slots = new Slots(Math.max(1, Math.min(messages, MOST_MESSAGES)));
  }

  /** From now on what a packet does not carry of its message is kept too. */
  keepIds(): void {
    this.#ids ??= new SlotIds(this.slots.size);
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
    return this.#used === this.slots.size;
  }

  /** True if a quarter of the window is free: fewer, larger turns are cheaper than a call for each slot. */
  get hasRoom(): boolean {
    return (
      this.#inFlight === 0 ||
      (this.#used <= this.slots.size - Math.ceil(this.slots.size / 4) &&
        this.store.held <= this.store.limit - this.store.limit / 4)
    );
  }

  /** Packet identifier of the message that `push` takes next. */
  get nextId(): number {
    return this.slots.after(this.#head, this.#used) + 1;
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
    if (qos > 0 || !this.slots.extend(this.#last, segment, length, ticket)) {
      this.slots.put(slot, segment, length, qos, ticket);
      this.#last = slot;
    }
    segment.used += length;
    segment.pins += 1;
    this.#used += 1;
    this.#unsent += 1;
    this.#inFlight += 1;
    this.#taken += 1;
  }

  /**
   * The packets that go out next; they count as sent. `quota` is how many at QoS 1 may go (5.0 §4.9);
   * what comes behind the quota waits too, so that order holds across qualities of service.
   */
  next(quota: number): Run | undefined {
    const { state, qos, offset, length, count: counts, write } = this.slots;
    while (this.#unsent > 0 && state[this.#next] === SETTLED) this.#step();
    if (this.#unsent === 0 || (quota === 0 && qos[this.#next]! > 0)) return undefined;
    const first = this.#next;
    const segment = this.slots.segmentOf(first);
    const start = offset[first]!;
    this.#writes = (this.#writes + 1) >>> 0;
    let end = start;
    let count = 0;
    let confirmed = 0;
    while (this.#unsent > 0) {
      const slot = this.#next;
      if (this.slots.segmentOf(slot) !== segment || offset[slot] !== end) break;
      if (qos[slot]! > 0) {
        if (confirmed === quota) break;
        confirmed += 1;
      }
      state[slot] = SENT;
      write[slot] = this.#writes;
      end += length[slot]!;
      count += counts[slot]!;
      this.#step();
    }
    segment.pins += 1;
    return { segment, start, end, first, count, confirmed, write: this.#writes };
  }

  /** The slot of a message at QoS 1 that is on the wire of this connection, -1 if there is none. */
  slotOf(packetId: number): number {
    const slot = packetId - 1;
    const { size, state, qos } = this.slots;
    if (slot >= size || state[slot] !== SENT || qos[slot] === 0) return -1;
    return slot;
  }

  /**
   * Ends the messages at QoS 0 that went out with this write, and are not settled yet.
   * @param done told how many of a ticket, in their order; this window is as it says by then
   */
  settleTaken(run: Run, done: (ticket: Ticket, count: number) => void): void {
    const slots = this.slots;
    let ticket: Ticket | undefined;
    let count = 0;
    let stretch: number;
    for (let i = 0, slot = run.first; i < run.count; i += stretch, slot = slots.after(slot, stretch)) {
      stretch = slots.count[slot]!;
      if (slots.write[slot] !== run.write || slots.state[slot] !== SENT || slots.qos[slot] !== 0) continue;
      const own = slots.ticketOf(slot);
      if (ticket !== undefined && own !== ticket) {
        this.#settled(run.segment, count);
        done(ticket, count);
        count = 0;
      }
      ticket = own;
      slots.end(slot);
      count += stretch;
    }
    if (ticket === undefined) return;
    this.#settled(run.segment, count);
    done(ticket, count);
  }

  /** The oldest message at QoS 1 that went out on this connection and is not settled, -1 if there is none. */
  get firstSent(): number {
    const { state, qos, count } = this.slots;
    const { onWire } = this;
    for (let i = 0, slot = this.#head; i < onWire; i += count[slot]!, slot = this.#behind(slot))
      if (state[slot] === SENT && qos[slot]! > 0) return slot;
    return -1;
  }

  /** Ends a message at QoS 1, or one that `forEach` shows, and returns its ticket. */
  settle(slot: number): Ticket {
    const ticket = this.slots.ticketOf(slot);
    const segment = this.slots.segmentOf(slot);
    this.slots.end(slot);
    this.#settled(segment, 1);
    return ticket;
  }

  /** So many messages of a segment have ended: what is free by that is free. */
  #settled(segment: Segment, count: number): void {
    this.#inFlight -= count;
    this.store.unpin(segment, count);
    const { state } = this.slots;
    while (this.#used > 0 && state[this.#head] === SETTLED) {
      const head = this.#head;
      if (this.#used === this.#unsent) this.#step();
      state[head] = FREE;
      this.#head = this.#behind(head);
      this.#used -= this.slots.count[head]!;
    }
  }

  /**
   * A new connection: everything that is not settled goes out again, oldest first [MQTT-4.6.0-1], with
   * the identifiers it had [MQTT-4.4.0-1]. With the session present, QoS 1 that was sent before carries
   * DUP [MQTT-3.3.1-1]; without, the broker knows nothing of it and it is a new publication.
   * Returns how many were on the wire before.
   */
  rewind(sessionPresent: boolean): number {
    const slots = this.slots;
    let again = 0;
    for (let i = 0, slot = this.#head; i < this.#used; i += slots.count[slot]!, slot = this.#behind(slot)) {
      const state = slots.state[slot];
      if (state === SETTLED) continue;
      if (state === SENT) again += slots.count[slot]!;
      const repeat = sessionPresent && slots.qos[slot]! > 0 && (state === SENT || state === AGAIN);
      slots.state[slot] = repeat ? AGAIN : WAITING;
      const { bytes, at } = slots.packetOf(slot);
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
    const { offset, length, qos } = this.slots;
    let last: Segment | undefined;
    let free = 0;
    this.forEach(slot => {
      const segment = this.slots.segmentOf(slot);
      const from = offset[slot]!;
      const end = from + length[slot]!;
      const at = adaptPublish(segment.bytes, from, end, how);
      const to = segment === last ? free : from;
      segment.bytes.copyWithin(to, at, end);
      offset[slot] = to;
      length[slot] = end - at;
      if (how.dropQos) qos[slot] = 0;
      last = segment;
      free = to + end - at;
    });
  }

  /** Calls `visit` for each message that is not settled, oldest first; it may settle it. */
  forEach(visit: (slot: number, length: number) => void): void {
    const slots = this.slots;
    const used = this.#used;
    let stretch: number;
    for (let i = 0, slot = this.#head; i < used; i += stretch, slot = slots.after(slot, stretch)) {
      if (slots.isOpen(slot)) slots.split(slot);
      stretch = slots.count[slot]!;
      if (slots.isOpen(slot)) visit(slot, slots.length[slot]!);
    }
  }

  /** The slot behind the stretch that begins at this one. */
  #behind(slot: number): number {
    return this.slots.after(slot, this.slots.count[slot]!);
  }

  #step(): void {
    const slot = this.#next;
    this.#unsent -= this.slots.count[slot]!;
    this.#next = this.#behind(slot);
  }
}
