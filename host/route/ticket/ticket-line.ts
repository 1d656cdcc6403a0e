import type { SinkMetrics } from '../../telemetry/sink-metrics.js';
import { SlabTicket } from './ticket.js';

/** The tickets of one route in the order of their slabs; those at the front close first. */
export class TicketLine {
  readonly #sinks: readonly SinkMetrics[];
  readonly #sources: () => number;
  readonly #delivered: (origin: number, sequence: number) => void;
  readonly #closed: (slab: number) => void;
  readonly #overtakers: readonly number[];
  readonly #open: SlabTicket[] = [];
  readonly #spare: SlabTicket[] = [];

  /**
   * @param sources how many there are by now
   * @param delivered every frame of this source up to that one is, in the order of its frames
   * @param closed everything up to this slab is
   * @param overtakers sources whose frames were others' before: they wait for none but their own. Else those that come
   * back from a full disk would wait for one that waits for their place there
   */
  constructor(
    sinks: readonly SinkMetrics[],
    sources: () => number,
    delivered: (origin: number, sequence: number) => void,
    closed: (slab: number) => void,
    overtakers: readonly number[] = [],
  ) {
    this.#closed = closed;
    this.#overtakers = overtakers;
    this.#sinks = sinks;
    this.#sources = sources;
    this.#delivered = delivered;
  }

  /** Slabs whose messages the sinks have not confirmed. */
  get length(): number {
    return this.#open.length;
  }

  /** A ticket for the next slab. @param slab its number; of a piece that is not the last: that of the one before */
  open(slab: number): SlabTicket {
    const sources = this.#sources();
    const ticket = this.#spare.pop() ?? new SlabTicket(this.#sinks, sources, closed => this.#close(closed));
    ticket.reset(sources, slab);
    this.#open.push(ticket);
    return ticket;
  }

  /** Closes tickets from the front, so that a source hears of its frames in order. */
  #close(closed: SlabTicket): void {
    for (const origin of this.#overtakers) if ((closed.last[origin] ?? 0) > 0) this.#overtake(origin);
    this.#merge();
    for (let head = this.#open[0]; head?.isClosed; head = this.#open[0]) {
      this.#open.shift();
      for (let origin = 0; origin < head.last.length; origin++) {
        const last = head.last[origin] as number;
        if (last > 0) this.#delivered(origin, last);
      }
      this.#closed(head.slab);
      this.#spare.push(head);
    }
  }

  /** Tells one source of what is delivered of its frames, whatever other tickets are open. */
  #overtake(origin: number): void {
    const hasSome = ({ last }: SlabTicket): boolean => (last[origin] ?? 0) > 0;
    for (let first = this.#open.find(hasSome); first?.isClosed; first = this.#open.find(hasSome)) {
      const last = first.last[origin] as number;
      first.last[origin] = 0;
      this.#delivered(origin, last);
    }
  }

  /**
   * The newest ticket, if it is closed already (its frames gave no message), goes into the one before it:
   * while a sink is away nothing may pile up behind what waits for it.
   */
  #merge(): void {
    const last = this.#open.at(-1);
    const before = this.#open.at(-2);
    if (last === undefined || before === undefined || !last.isClosed) return;
    // One that is to overtake may not get behind what it overtakes.
    for (const origin of this.#overtakers) if ((last.last[origin] ?? 0) > 0) return;
    this.#open.pop();
    before.absorb(last);
    this.#spare.push(last);
  }
}
