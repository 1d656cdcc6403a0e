import { RING } from './ring-words.js';

/** Looks a deadline: a call is found out at most two of them late. */
const LOOKS = 20;
/** What a call gets beyond its deadline when this loop was late itself: the machine was busy, and it may have had no time. */
const GRACE = 0.25;

/**
 * Watches one ring for a call into a guest that lasts too long. It looks some times a deadline at the
 * ring's call counter while there is work outstanding; the sandbox pays two stores a call.
 */
export class DeadlineWatch {
  readonly #control: Int32Array;
  readonly #limitOf: (stage: number) => number;
  readonly #busy: () => boolean;
  readonly #late: (stage: number, elapsedMs: number, calls: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #calls = -1;
  #since = 0;
  #looked = 0;
  #period = 0;

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

  /** Begins to watch, if it does not already; `shortestMs` is the shortest limit of the chain. */
  watch(shortestMs: number): void {
    if (this.#timer !== undefined) return;
    this.#period = Math.max(1, Math.min(shortestMs / LOOKS, 50));
    this.#calls = -1;
    this.#looked = performance.now();
    this.#since = this.#looked;
    this.#timer = setInterval(() => this.#look(), this.#period);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    const loopWasLate = now - this.#looked > this.#period * 4;
    this.#looked = now;
    const calls = Atomics.load(this.#control, RING.calls);
    const stage = Atomics.load(this.#control, RING.stage);
    if (calls !== this.#calls || stage < 0) {
      if (calls === this.#calls && !this.#busy()) this.stop();
      this.#calls = calls;
      this.#since = now;
      return;
    }
    const limit = this.#limitOf(stage);
    if (loopWasLate) this.#since = Math.max(this.#since, now - limit * (1 - GRACE));
    if (now - this.#since < limit) return;
    this.stop();
    this.#late(stage, now - this.#since, calls);
  }
}
