import type { ErrorCode } from '../../../runtime/index.js';
import type { Ticket } from '../../sinks/sink.js';
import type { SinkMetrics } from '../../telemetry/sink-metrics.js';

/**
 * One slab's worth of messages on its way: closed when every sink has confirmed (or given up) every
 * message. Tickets close in the order of the slabs, so that a source is acknowledged in its own order.
 */
export class SlabTicket {
  /** One hand a sink, so that each is counted for itself. */
  readonly hands: readonly Hand[];
  /** For frames that are put on the disk as they came. */
  readonly aside: Ticket = {
    done: count => this.settle(count),
    spooled: count => this.settle(count),
    dropped: count => this.settle(count),
  };
  /** Last sequence of each source in the slab, by the source's number; 0 where it has none. */
  last: Float64Array;
  /** The slab, or the last of those whose tickets it has taken over. */
  slab = 0;
  readonly #closed: (ticket: SlabTicket) => void;
  #open = 0;
  #sealed = false;

  constructor(sinks: readonly SinkMetrics[], sources: number, closed: (ticket: SlabTicket) => void) {
    this.hands = sinks.map(metrics => new Hand(this, metrics));
    this.last = new Float64Array(sources);
    this.#closed = closed;
  }

  /** Begins anew for another slab. @param sources how many there are by now */
  reset(sources: number, slab: number): void {
    if (this.last.length < sources) this.last = new Float64Array(sources);
    else this.last.fill(0);
    this.slab = slab;
    this.#open = 0;
    this.#sealed = false;
  }

  get isClosed(): boolean {
    return this.#sealed && this.#open === 0;
  }

  /** Takes over what a later ticket that is closed would have told. */
  absorb(later: SlabTicket): void {
    const mine = this.last;
    // A source may have come in between.
    if (mine.length < later.last.length) {
      this.last = new Float64Array(later.last.length);
      this.last.set(mine);
    }
    for (let origin = 0; origin < later.last.length; origin++) {
      this.last[origin] = Math.max(this.last[origin] as number, later.last[origin] as number);
    }
    this.slab = later.slab;
  }

  take(): void {
    this.#open++;
  }

  /** No more messages follow for this slab. */
  seal(): void {
    this.#sealed = true;
    if (this.#open === 0) this.#closed(this);
  }

  settle(count: number): void {
    this.#open -= count;
    if (this.#sealed && this.#open === 0) this.#closed(this);
  }
}

class Hand implements Ticket {
  readonly #ticket: SlabTicket;
  readonly #metrics: SinkMetrics;

  constructor(ticket: SlabTicket, metrics: SinkMetrics) {
    this.#ticket = ticket;
    this.#metrics = metrics;
  }

  done(count: number): void {
    this.#metrics.messages(count);
    this.#ticket.settle(count);
  }

  spooled(count: number): void {
    this.#ticket.settle(count);
  }

  dropped(count: number, code: ErrorCode): void {
    this.#metrics.dropped(code, count);
    // Given up because the gateway ends: that is no delivery, and nobody may be told so.
    if (code !== 'SLUICE_SINK_ABANDONED') this.#ticket.settle(count);
  }
}
