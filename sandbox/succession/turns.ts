/** Swaps and tries of one slot, one after the other, and the stops that overtake them. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #stops = 0;

  /** Runs it when all that was asked for before is done. */
  take(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /**
   * What is taken from here on comes behind this stop.
   * @param stop given all that was asked for before; it need not wait for that
   */
  stop(stop: (before: Promise<unknown>) => Promise<void>): Promise<void> {
    const stopped = stop(this.#last);
    this.#last = stopped;
    return stopped;
  }

  /** The slot stops from here on: a swap or try that is under way does not come to serve any more. */
  overtake(): void {
    this.#stops++;
  }

  /** @returns whether a stop has overtaken who asks since */
  watchStops(): () => boolean {
    const stops = this.#stops;
    return () => stops !== this.#stops;
  }
}
