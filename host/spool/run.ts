import type { Fault } from '../../runtime/index.js';
import type { Ticket } from '../sinks/sink.js';
import type { SinkMetrics } from '../telemetry/sink-metrics.js';
import type { SpoolMetrics } from '../telemetry/spool-metrics.js';
import type { Queue } from './queue.js';

export interface RunEvents {
  readonly messages: Pick<SinkMetrics, 'messages' | 'dropped'>;
  readonly spool: SpoolMetrics;
  /** The sink has confirmed or given up so many. */
  settled(count: number): void;
  /** Nothing of the run is needed any more: its records can go, and once more where some were not on the disk yet. */
  finished(run: Run): void;
}

/**
 * Records that lie one behind the other in a queue and are in the hands of the sink. When all are confirmed
 * they are removed together; what a killed process had not removed goes out again, under the same ids.
 */
export class Run implements Ticket {
  readonly queue: Queue;
  /** Places of the first and the last record. */
  first = 0;
  last = 0;
  /** When the first was put down, milliseconds since 1970. */
  since = 0;
  readonly #events: RunEvents;
  #count = 0;
  #settled = 0;
  #durable: number;
  #isSealed = false;
  #isStuck = false;
  readonly #toTell: (() => void)[] = [];
  readonly #whenDurable: (() => void)[] = [];
  /** Place of the last record that is confirmed, of a run that is confirmed in its order; 0: of none. */
  through = 0;

  /** @param fetched they are on the disk already */
  constructor(queue: Queue, events: RunEvents, fetched: boolean) {
    this.queue = queue;
    this.#events = events;
    this.#durable = fetched ? Number.POSITIVE_INFINITY : 0;
  }

  get count(): number {
    return this.#count;
  }

  /** One more record belongs to it. @param since when it was put down, milliseconds since 1970 */
  add(place: number, since: number): void {
    if (this.#count === 0) {
      this.first = place;
      this.since = since;
      this.queue.begun(this);
    }
    this.last = place;
    this.#count++;
  }

  /** Resolves when all that it has is on the disk, or is not going to be. */
  async durable(): Promise<void> {
    if (!this.isDurable) await new Promise<void>(resolve => this.#whenDurable.push(resolve));
  }

  /** The sink has done with all of it. */
  get isConfirmed(): boolean {
    return this.#isSealed && this.#settled >= this.#count;
  }

  get isDurable(): boolean {
    return this.#durable >= this.#count;
  }

  /** No more follow. */
  seal(): void {
    this.#isSealed = true;
    this.#look();
  }

  done(count: number): void {
    this.#events.messages.messages(count);
    this.#events.spool.sent(count);
    this.#settle(count);
  }

  dropped(count: number, code: Fault['code']): void {
    // Given up because the gateway ends: the record stays, and goes out after the next start.
    if (code === 'SLUICE_SINK_ABANDONED') return;
    this.#events.messages.dropped(code, count);
    this.#settle(count);
  }

  /** The record at this place is confirmed, and all before it. */
  doneTo(place: number): void {
    this.through = place;
    this.done(1);
  }

  /** Copies of what was on its way already: so many are on the disk now. */
  spooled(count: number): void {
    this.#durable += count;
    if (this.isDurable) for (const then of this.#whenDurable.splice(0)) then();
    this.#look();
  }

  /** Some of its records wait for room on the disk: those that are there must not wait for them. */
  stuck(): void {
    if (this.#isStuck) return;
    this.#isStuck = true;
    this.#look();
  }

  /** One of its records is not going to be on the disk: there is only what the sink holds. @param told when all are confirmed */
  withdrawn(told: () => void): void {
    this.#toTell.push(told);
    this.spooled(1);
  }

  #settle(count: number): void {
    this.#settled += count;
    this.#events.settled(count);
    this.#look();
  }

  #look(): void {
    if (this.#count === 0 || !this.isConfirmed) return;
    const isDurable = this.#durable >= this.#count;
    if (isDurable) this.queue.ended(this);
    if (isDurable || this.#isStuck) this.#events.finished(this);
    if (!isDurable) return;
    for (const told of this.#toTell.splice(0)) told();
  }
}
