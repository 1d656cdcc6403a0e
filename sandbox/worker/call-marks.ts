import { stamp } from '../ring/clock.js';
import { RING } from '../ring/ring-words.js';

/** What the watcher on the host's thread reads of this chain's calls, in the ring's words. */
export class CallMarks {
  readonly #control: Int32Array;
  #last = 0;
  /**
   * This chain serves the ring. A candidate that is being started shares the ring with the session that serves: the
   * words are that one's.
   */
  isServing = false;

  constructor(control: Int32Array) {
    this.#control = control;
  }

  /** Stage of the call under way or, between two, of the last one: its results are what is looked at. */
  get last(): number {
    return this.#last;
  }

  /** A call begins (its stage) or is over (-1). */
  at(stage: number): void {
    if (stage >= 0) this.#last = stage;
    if (!this.isServing) return;
    if (stage >= 0) Atomics.store(this.#control, RING.began, stamp());
    Atomics.store(this.#control, RING.stage, stage);
    Atomics.add(this.#control, RING.calls, 1);
  }

  /** What the next calls are for, of `CALL`. */
  purpose(purpose: number): void {
    if (this.isServing) Atomics.store(this.#control, RING.purpose, purpose);
  }
}
