import type { Fault } from '../../../runtime/index.js';
import type { Ticket } from '../sink.js';

/** Adds up what happened to the messages of one ticket, so that a ticket is called once for many of them. */
export class Tally {
  #ticket: Ticket | undefined;
  #code: Fault['code'] | undefined;
  #count = 0;

  done(ticket: Ticket, count = 1): void {
    this.#add(ticket, undefined, count);
  }

  dropped(ticket: Ticket, code: Fault['code']): void {
    this.#add(ticket, code, 1);
  }

  /** Tells the ticket. It may write to the sink again from there. */
  flush(): void {
    const ticket = this.#ticket;
    const code = this.#code;
    const count = this.#count;
    this.#ticket = undefined;
    this.#count = 0;
    if (ticket === undefined) return;
    if (code === undefined) ticket.done(count);
    else ticket.dropped(count, code);
  }

  #add(ticket: Ticket, code: Fault['code'] | undefined, count: number): void {
    if (ticket !== this.#ticket || code !== this.#code) {
      this.flush();
      this.#ticket = ticket;
      this.#code = code;
    }
    this.#count += count;
  }
}
