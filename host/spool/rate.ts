/** Lets so many pass a second, and a tenth of a second's worth at once. */
export class Rate {
  readonly #perMs: number;
  readonly #most: number;
  #left: number;
  #at = performance.now();

  /** @param perSecond Infinity: no limit */
  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#most = Math.max(1, perSecond / 10);
    this.#left = this.#most;
  }

  /** How many may pass now. */
  get left(): number {
    if (this.#perMs === Number.POSITIVE_INFINITY) return this.#perMs;
    const now = performance.now();
    this.#left = Math.min(this.#most, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
    return Math.floor(this.#left);
  }

  passed(count: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#left -= count;
  }
}
