import type { Poison } from '../store/quarantine.js';
import type { Isolate } from './route-parts.js';
import type { SlabTicket } from './ticket/ticket.js';

/** Frames that are on their way into the quarantine at once: beyond them the route waits. */
const MOST_FRAMES = 1000;
/** The same in bytes: frames can be large. */
const MOST_BYTES = 16 * 2 ** 20;

/** The frames of one route that are on their way into the quarantine: so many, and no more. */
export class Isolation {
  readonly #isolate: Isolate;
  readonly #room: () => void;
  #frames = 0;
  #bytes = 0;
  /** Not handed over yet. */
  #next: { readonly poison: Poison; readonly ticket: SlabTicket }[] = [];

  /** @param room there is some again */
  constructor(isolate: Isolate, room: () => void) {
    this.#isolate = isolate;
    this.#room = room;
  }

  get isFull(): boolean {
    return this.#frames >= MOST_FRAMES || this.#bytes >= MOST_BYTES;
  }

  /** Its source is acknowledged when it is on the disk: it was taken, and must not be lost. */
  keep(poison: Poison, ticket: SlabTicket): void {
    ticket.take();
    this.#frames++;
    this.#bytes += poison.frame.payload.length;
    this.#next.push({ poison, ticket });
    if (this.isFull) this.send();
  }

  /** Hands over what is to be kept: by itself only where there is no room for more. */
  send(): void {
    if (this.#next.length === 0) return;
    const next = this.#next;
    this.#next = [];
    for (const { poison, ticket } of next) this.#send(poison, ticket);
  }

  #send(poison: Poison, ticket: SlabTicket): void {
    const bytes = poison.frame.payload.length;
    void this.#isolate(poison).then(() => {
      ticket.settle(1);
      const waited = this.isFull;
      this.#frames--;
      this.#bytes -= bytes;
      if (waited && !this.isFull) this.#room();
    });
  }
}
