import type { Clock } from './clock.js';
import { type Request, RequestLine } from './request.js';

/** Transactions that timed out and may still be answered. */
const REMEMBERED = 16;
const NONE = -1;

/**
 * The requests of one connection that are on their way: their transaction ids, their deadlines, and the
 * one timer that watches them. It is set for the oldest request and answers do not touch it, so it costs
 * nothing per request.
 */
export class Flight {
  readonly #capacity: number;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #overdue: () => void;
  /** The oldest deadline first. */
  readonly #line: RequestLine;
  readonly #late = new Int32Array(REMEMBERED).fill(NONE);
  #lateAt = 0;
  #transaction = 0;
  #answers = 0;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /** @param overdue called when a request may have run out of time; it then takes `expired` and calls `watch` */
  constructor(capacity: number, timeoutMs: number, clock: Clock, overdue: () => void) {
    this.#capacity = capacity;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#overdue = overdue;
    this.#line = new RequestLine(capacity);
  }

  get length(): number {
    return this.#line.length;
  }

  get room(): number {
    return this.#capacity - this.#line.length;
  }

  /** Gives the request its transaction id; the caller sees to it that there is room. */
  launch(request: Request): void {
    this.#transaction = (this.#transaction + 1) & 0xffff;
    request.transaction = this.#transaction;
    request.deadline = this.#clock.steady() + this.#timeoutMs;
    request.answersBefore = this.#answers;
    this.#line.push(request);
  }

  /** The request with this transaction id, if it is open. */
  find(transaction: number): Request | undefined {
    const index = this.#line.find(transaction);
    return index < 0 ? undefined : this.#line.at(index);
  }

  /** The request is answered. */
  land(request: Request): void {
    this.#line.remove(this.#line.find(request.transaction));
    request.underWay = false;
    this.#answers += 1;
  }

  /** True, once, for the answer to a request that had timed out on this connection. */
  wasLate(transaction: number): boolean {
    const place = this.#late.indexOf(transaction);
    if (place < 0) return false;
    this.#late[place] = NONE;
    this.#answers += 1;
    return true;
  }

  /** Takes out the oldest request if its time is over. */
  expired(now: number): Request | undefined {
    if (this.#line.length === 0 || this.#line.at(0).deadline > now) return undefined;
    const request = this.next();
    if (request === undefined) return undefined;
    this.#late[this.#lateAt] = request.transaction;
    this.#lateAt = (this.#lateAt + 1) % REMEMBERED;
    return request;
  }

  /** Whether nothing at all has been answered since this request was sent. */
  silentSince(request: Request): boolean {
    return request.answersBefore === this.#answers;
  }

  /** Takes out the oldest request, whatever its time. */
  next(): Request | undefined {
    if (this.#line.length === 0) return undefined;
    const request = this.#line.shift();
    request.underWay = false;
    return request;
  }

  /** Sees to it that the oldest request is watched. */
  watch(): void {
    if (this.#timer !== undefined || this.#line.length === 0) return;
    const wait = this.#line.at(0).deadline - this.#clock.steady();
    this.#timer = setTimeout(this.#ring, Math.max(1, Math.ceil(wait)));
  }

  /** The connection is gone: no late answers can come, and nothing is watched. */
  reset(): void {
    clearTimeout(this.#timer);
    if (this.#look !== undefined) clearImmediate(this.#look);
    this.#timer = undefined;
    this.#look = undefined;
    this.#late.fill(NONE);
  }

  readonly #ring = (): void => {
    // If our own loop was late, the answer may lie in the socket: let it be read before judging.
    this.#look = setImmediate(() => {
      this.#timer = undefined;
      this.#overdue();
    });
  };
}
