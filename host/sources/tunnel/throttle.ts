import { RateLimit } from '../serve/rate-limit.js';

/** The rates that one connection keeps to: its own, and that of all connections together. */
export class Throttle {
  readonly #own: RateLimit;
  readonly #all: RateLimit;
  readonly #goOn: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param goOn the frame that waits has its turn */
  constructor(perSecond: number, all: RateLimit, goOn: () => void) {
    this.#own = new RateLimit(perSecond);
    this.#all = all;
    this.#goOn = goOn;
  }

  /** A frame waits for its turn. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** A frame comes. True: it waits for its turn, and is not asked for again. @param now on the steady clock, ms */
  holds(now: number): boolean {
    const ms = Math.max(this.#own.reserve(now), this.#all.reserve(now));
    if (ms === 0) return false;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#goOn();
    }, ms);
    return true;
  }

  /** The frame that waits is not to go on by itself any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The connection is gone. Else one that comes and goes uses up the rate of all others with frames that never got through. */
  leave(): void {
    this.stop();
    if (this.#timer !== undefined) this.#all.giveBack();
    this.#timer = undefined;
  }
}
