import { since } from '../ring/clock.js';
import { RING } from '../ring/ring-words.js';

/** This loop was late itself, if a look is by this share of a deadline: the machine was busy, and the call may have had no time. */
const LATE = 0.2;
const LATE_MIN_MS = 4;
const LATE_MAX_MS = 200;
/** Then the call gets as much more, and this share of its deadline at most. */
const GRACE = 0.25;
/** No look is later than this: nothing is as long as a timer may be. */
const LONGEST_MS = 60_000;

/**
 * Watches one ring for a call into a guest that lasts too long. While there is work outstanding it looks at what the
 * sandbox says of its call (three stores for each) when a deadline ends that may be one.
 */
export class DeadlineWatch {
  readonly #control: Int32Array;
  readonly #limitOf: (stage: number) => number;
  readonly #busy: () => boolean;
  readonly #late: (stage: number, elapsedMs: number, calls: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #shortest = 0;
  /** When the next look is due. */
  #due = 0;
  /** The call that got more time, as it was over its deadline when this loop was late. */
  #graced: number | undefined;
  #grace = 0;

  /**
   * @param limitOf milliseconds that a call into a stage may take now
   * @param busy true while there is work outstanding; without any the watch stops by itself
   * @param late called once for a call that is over its deadline, with the count that stands for that call;
   *   the watch is then stopped
   */
  constructor(
    control: Int32Array,
    limitOf: (stage: number) => number,
    busy: () => boolean,
    late: (stage: number, elapsedMs: number, calls: number) => void,
  ) {
    this.#limitOf = limitOf;
    this.#control = control;
    this.#busy = busy;
    this.#late = late;
  }

  /** Begins to watch, if it does not already; `shortestMs` is the shortest limit of the chain, which may have changed. */
  watch(shortestMs: number): void {
    const isSooner = shortestMs < this.#shortest;
    this.#shortest = shortestMs;
    if (this.#timer !== undefined && !isSooner) return;
    clearTimeout(this.#timer);
    this.#due = performance.now();
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    const now = performance.now();
    const lateBy = now - this.#due;
    const calls = Atomics.load(this.#control, RING.calls);
    const stage = Atomics.load(this.#control, RING.stage);
    // A call that begins after this look is not over before this.
    let next = this.#shortest;
    if (stage >= 0) {
      const elapsed = since(Atomics.load(this.#control, RING.began));
      const limit = this.#limitOf(stage);
      if (elapsed >= limit && lateBy > lateOf(limit) && this.#graced !== calls) {
        this.#graced = calls;
        this.#grace = elapsed + Math.min(lateBy, limit * GRACE) - limit;
      }
      const left = limit + (this.#graced === calls ? this.#grace : 0) - elapsed;
      // It may have ended since it was looked at, and the limit be that of what came behind it.
      const isOver = Atomics.load(this.#control, RING.calls) !== calls;
      if (left <= 0 && !isOver) {
        this.stop();
        this.#late(stage, elapsed, calls);
        return;
      }
      if (!isOver) next = Math.min(next, left);
    } else if (!this.#busy()) {
      this.stop();
      return;
    }
    next = Math.min(Math.ceil(next), LONGEST_MS);
    this.#due = now + next;
    this.#timer = setTimeout(this.#look, next);
  };
}

function lateOf(limit: number): number {
  return Math.min(Math.max(limit * LATE, LATE_MIN_MS), LATE_MAX_MS);
}
