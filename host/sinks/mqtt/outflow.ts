import type { Link } from '../../mqtt/link.js';
import type { Ticket } from '../sink.js';
import type { Run, SendWindow } from './window.js';

export interface OutflowEvents {
  /** So many messages of a ticket at QoS 0 are the system's. */
  done(ticket: Ticket, count: number): void;
  /** All such of one write have been told. */
  settled(): void;
}

/** The way of a window's messages into one connection after the other. A write that has come to its end settles those at QoS 0. */
export class Outflow {
  readonly #window: SendWindow;
  readonly #events: OutflowEvents;
  readonly #done: (ticket: Ticket, count: number) => void;
  #link: Link | undefined;
  /** Writes that the socket of this connection has not finished. */
  #runs = new Set<Run>();
  /** How many at QoS 1 may go. */
  #quota = 0;

  constructor(window: SendWindow, events: OutflowEvents) {
    this.#window = window;
    this.#events = events;
    this.#done = (ticket, count) => events.done(ticket, count);
  }

  /** The connection, once the broker has accepted it. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** @param quota of the broker, which `grant` adds to */
  begin(link: Link, quota: number): void {
    this.#quota = quota;
    this.#link = link;
    this.#runs = new Set();
  }

  /** The connection is gone. */
  end(): void {
    this.#link = undefined;
    for (const run of this.#runs) this.#window.store.unpin(run.segment);
    this.#runs.clear();
  }

  grant(more: number): void {
    this.#quota += more;
  }

  /** Hands over to the socket what it takes and the broker's quota allows; the socket gets it as one write. */
  pump(): void {
    const link = this.#link;
    const window = this.#window;
    if (link === undefined || !link.writable || !window.hasUnsent) return;
    let run = window.next(this.#quota);
    if (run === undefined) return;
    // A run is one write by itself, and gathered writes cost the more where it is a single message.
    const several = window.hasUnsent;
    if (several) link.cork();
    while (run !== undefined) {
      this.#send(link, run);
      run = link.writable ? window.next(this.#quota) : undefined;
    }
    if (several) link.uncork();
  }

  #send(link: Link, run: Run): void {
    this.#quota -= run.confirmed;
    const runs = this.#runs;
    runs.add(run);
    link.write(run.segment.bytes.subarray(run.start, run.end), error => {
      if (!error) this.#taken(runs, run);
    });
  }

  /** A write is done: its QoS 0 messages are confirmed. After the loss of the connection it is too late. */
  #taken(runs: Set<Run>, run: Run): void {
    if (!runs.delete(run)) return;
    const window = this.#window;
    if (run.confirmed < run.count) window.settleTaken(run, this.#done);
    window.store.unpin(run.segment);
    this.#events.settled();
  }
}
