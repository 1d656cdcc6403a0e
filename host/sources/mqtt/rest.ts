/** So many messages in each millisecond: they are better read together than one by one. */
const BUSY = 4;
/** While so many still come a rest goes on: on a busy machine they come in fits, and read one by one they make it busier. */
const STILL_BUSY = 2;
/** For as long as this they have to have come so before the first rest; a burst is over by then. */
const SUSTAINED_MS = 8;
/**
 * The longest rest: at 20,000 messages a second a read finds 120 then. Measured there: 12 us of processor time a message
 * with rests of 1 ms, 8 with 4, 5 with 8, 4 with 16.
 */
const LONGEST_MS = 6;

/**
 * Decides how long the next read of a broker's messages waits. A broker that writes each packet by itself wakes us for
 * each, and that, with a batch for each on the way behind, costs ten times what the message does. So where messages
 * come fast and go on doing so, the next ones are left to gather: 1 ms, 2, 4, then 6, as long as enough come in them. At
 * the first read that finds fewer nothing waits any more.
 */
export class Rest {
  #since = 0;
  #count = 0;
  #ms = 0;

  /** A message came. */
  took(): void {
    this.#count += 1;
  }

  /** A read is done. @param now any clock, ms @returns how long the next one may wait, ms; 0: not at all */
  next(now: number): number {
    // A clock that is set back by an hour must not keep things as they are for as long.
    const passed = Math.abs(now - this.#since);
    if (passed < (this.#ms === 0 ? SUSTAINED_MS : 1)) return this.#ms;
    if (this.#count >= BUSY * passed) this.#ms = Math.min(Math.max(1, this.#ms * 2), LONGEST_MS);
    else if (this.#count < STILL_BUSY * passed) this.#ms = 0;
    this.#since = now;
    this.#count = 0;
    return this.#ms;
  }
}
