import { type ErrorCode, MESSAGE } from '../../runtime/index.js';
import type { Delivery, Slot } from '../../sandbox/index.js';
import { FrameId, type Origin } from '../sinks/message-id.js';
import type { ParkedFrames } from './parked-frames.js';
import type { Refusals } from './refusals.js';
import type { ChainReport } from './report/chain-report.js';
import type { RouteSink } from './route-parts.js';
import type { RouteSources } from './route-sources.js';
import type { SlabTicket } from './ticket/ticket.js';
import type { TicketLine } from './ticket/ticket-line.js';

export interface WalkParts {
  readonly slot: Slot;
  readonly sources: RouteSources;
  readonly sinks: readonly RouteSink[];
  readonly chain: ChainReport;
  readonly tickets: TicketLine;
  readonly refusals: Refusals;
  readonly parked: ParkedFrames;
  /** What a flush gives out is its. */
  readonly own: Origin;
  /** A slab has gone back. */
  readonly freed: () => void;
}

/**
 * Takes results on, slab by slab, in order: messages to every sink, what gave none to where it belongs. It stops at the
 * message that a sink has no room for, or where nothing can be put aside or kept, and goes on from there.
 */
export class Walk {
  readonly #parts: WalkParts;
  readonly #sinks: readonly RouteSink[];
  readonly #sources: RouteSources;
  readonly #own: Origin;
  readonly #id: FrameId;
  /** What flushes gave out, for ids. */
  #ownMessages = 0;
  #delivery: Delivery | undefined;
  #ticket: SlabTicket | undefined;
  /** It is not of the ring of the slot: it comes behind frames that wait on the disk, and is to go there. */
  #isAside = false;
  /** Last slab of the ring that is taken as a whole. */
  #slab = -1;
  #frame = 0;
  #message = 0;
  #sink = 0;

  constructor(parts: WalkParts) {
    this.#parts = parts;
    this.#sinks = parts.sinks;
    this.#sources = parts.sources;
    this.#own = parts.own;
    this.#id = new FrameId(parts.own);
  }

  /** Nothing is in hand. */
  get isIdle(): boolean {
    return this.#delivery === undefined;
  }

  /** Goes on until there are no results, or there is no room for them: who has some again calls for it. */
  run(): void {
    for (;;) {
      if (this.#delivery === undefined && !this.#begin()) return;
      if (!this.#frames()) return;
      this.#finish();
    }
  }

  #begin(): boolean {
    const { slot, parked, tickets, chain } = this.#parts;
    const served = slot.next();
    const delivery = served ?? parked.next();
    if (delivery === undefined) return false;
    this.#isAside = served === undefined;
    this.#delivery = delivery;
    // What comes of the lot is in no state.
    if (!this.#isAside) this.#slab = delivery.isPiece ? slot.ring.taken - 2 : slot.ring.taken - 1;
    this.#ticket = tickets.open(this.#slab);
    this.#frame = delivery.begin;
    this.#message = 0;
    this.#sink = 0;
    if (!this.#isAside) chain.batch(delivery, slot.ring.taken - 1);
    return true;
  }

  #frames(): boolean {
    const delivery = this.#delivery as Delivery;
    const ticket = this.#ticket as SlabTicket;
    const { outcome, end, isFlush, slab, outcomesAt } = delivery;
    for (; this.#frame < end; this.#frame++) {
      outcome.load(slab, outcomesAt, this.#frame);
      if (isFlush) this.#id.stand(this.#own, this.#ownMessages);
      else this.#sources.stand(this.#id, delivery.originOf(this.#frame), delivery.sequenceOf(this.#frame));
      if (outcome.code !== undefined) {
        if (!this.#refused(delivery, ticket)) return false;
      } else if (outcome.messages === 0 && !isFlush) this.#parts.chain.silent();
      if (!this.#messages(delivery, ticket, isFlush)) return false;
      if (!isFlush) ticket.last[delivery.originOf(this.#frame)] = delivery.sequenceOf(this.#frame);
    }
    return true;
  }

  /** Hands the messages of a frame to the sinks; false: one is full. */
  #messages({ outcome, message, slab }: Delivery, ticket: SlabTicket, isFlush: boolean): boolean {
    const id = this.#id;
    for (; this.#message < outcome.messages; this.#message++) {
      message.load(slab, outcome.offset + this.#message * MESSAGE.size);
      id.part = isFlush ? 0 : this.#message;
      if (isFlush) id.sequence = this.#ownMessages + 1;
      for (; this.#sink < this.#sinks.length; this.#sink++) {
        const { sink } = this.#sinks[this.#sink] as RouteSink;
        // Counted first: a sink may confirm or drop at once.
        ticket.take();
        if (sink.write(message, ticket.hands[this.#sink] as SlabTicket['hands'][number], id)) continue;
        ticket.settle(1);
        return false;
      }
      this.#sink = 0;
      if (isFlush) this.#ownMessages++;
    }
    this.#message = 0;
    return true;
  }

  /** A frame gave no messages but a code; false: there is no room where it is to be kept. */
  #refused(delivery: Delivery, ticket: SlabTicket): boolean {
    const { parked, refusals } = this.#parts;
    const id = this.#id;
    const frame = this.#frame;
    if (parked.takesBack(delivery, frame)) return true;
    const { code } = delivery.outcome;
    const wasRun = code !== 'SLUICE_BREAKER_OPEN';
    if (!wasRun && parked.takes(delivery, frame, id, this.#isAside))
      return parked.put(delivery, frame, id, ticket);
    if (refusals.isFullFor(delivery, frame, code as ErrorCode)) return false;
    if (!wasRun) parked.turnedAway();
    refusals.take(delivery, frame, id, ticket);
    return true;
  }

  #finish(): void {
    const ticket = this.#ticket as SlabTicket;
    this.#delivery = undefined;
    this.#ticket = undefined;
    if (this.#isAside) this.#parts.parked.ack();
    else this.#parts.slot.ack();
    ticket.seal();
    this.#parts.freed();
  }
}
