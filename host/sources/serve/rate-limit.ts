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

  /** True if one may go through now; for what is refused else. @param now on the steady clock, ms */
  take(now: number): boolean {
    if (!this.allows(now)) return false;
    this.#left -= 1;
    return true;
  }

  /** True if `take` would be. */
  allows(now: number): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    this.#refill(now);
    return this.#left >= 1;
  }

  /**
   * For what waits else: it has its turn, in so many milliseconds, and is not asked for again. What comes behind it waits
   * longer, so that many who wait for one rate come one after the other.
   */
  reserve(now: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#refill(now);
    this.#left -= 1;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left / this.#perSecond) * 1000);
  }

  /** One that had its turn reserved does not come: those behind it do not wait for it. */
  giveBack(): void {
    this.#left = Math.min(this.#perSecond, this.#left + 1);
  }

  #refill(now: number): void {
    this.#left = Math.min(this.#perSecond, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }
}
