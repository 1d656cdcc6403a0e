import type { Exchange } from './exchanges.js';

/** So many places in front may be empty before the rest moves up. */
const MOST_EMPTY = 1_024;

/** Requests whose frames are not delivered, in the order of their sequences, which is that of their coming. */
export class Waiting {
  #line: (Exchange | undefined)[] = [];
  #head = 0;
  /** All in front of it have been looked at, whether they need an acknowledgement by itself. */
  #looked = 0;

  get length(): number {
    return this.#line.length - this.#head;
  }

  add(exchange: Exchange): void {
    exchange.isWaiting = true;
    this.#line.push(exchange);
  }

  /** Takes out the oldest if its frame is this one or before it. */
  takeDelivered(sequence: number): Exchange | undefined {
    const oldest = this.#line[this.#head];
    return oldest !== undefined && oldest.sequence <= sequence ? this.#take(oldest) : undefined;
  }

  /** The one whose frame this is, if it waits: each push gives the next number, and each has its place here. */
  find(sequence: number): Exchange | undefined {
    const oldest = this.#line[this.#head];
    if (oldest === undefined) return undefined;
    const found = this.#line[this.#head + sequence - oldest.sequence];
    return found?.sequence === sequence ? found : undefined;
  }

  /** Takes out the oldest if it came at this time or before it. */
  takeOlder(at: number): Exchange | undefined {
    const oldest = this.#line[this.#head];
    return oldest !== undefined && oldest.at <= at ? this.#take(oldest) : undefined;
  }

  /** The next that came at this time or before it; each once. */
  nextUnanswered(at: number): Exchange | undefined {
    this.#looked = Math.max(this.#looked, this.#head);
    const next = this.#line[this.#looked];
    if (next === undefined || next.at > at) return undefined;
    this.#looked += 1;
    return next;
  }

  #take(oldest: Exchange): Exchange {
    oldest.isWaiting = false;
    this.#line[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#line.length) {
      this.#line.length = 0;
      this.#head = 0;
      this.#looked = 0;
    } else if (this.#head >= MOST_EMPTY && this.#head * 2 >= this.#line.length) {
      this.#looked = Math.max(0, this.#looked - this.#head);
      this.#line.copyWithin(0, this.#head);
      this.#line.length -= this.#head;
      this.#head = 0;
    }
    return oldest;
  }
}
