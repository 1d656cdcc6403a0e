/** Lets so many through in a second, and a second's worth at once after a pause. */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #at = 0;

  /** @param perSecond Infinity: no limit */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Takes one; 0: it may go through; else milliseconds until it may. @param now on the steady clock, ms */
  take(now: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return Math.ceil(((1 - this.#left) / this.#perSecond) * 1000);
    this.#left -= 1;
    return 0;
  }
}
