import { RING } from './ring-words.js';

/**
 * Calls back on the host's thread after each commit of a ring, through Atomics.waitAsync. What it compares
 * with is the count from before the last callback, so that a commit that comes in the midst of one is told
 * of by another.
 */
export class CommitWatch {
  readonly #control: Int32Array;
  readonly #changed: () => void;
  #armed = false;
  #seen: number;

  constructor(control: Int32Array, changed: () => void) {
    this.#control = control;
    this.#changed = changed;
    this.#seen = Atomics.load(control, RING.commits);
  }

  /** Waits for the next commit. One wait at a time; calls while it waits do nothing. */
  arm(): void {
    if (this.#armed) return;
    const wait = Atomics.waitAsync(this.#control, RING.commits, this.#seen);
    this.#armed = true;
    if (wait.async) void wait.value.then(() => this.#fire());
    else queueMicrotask(() => this.#fire());
  }

  /** Wakes a wait whatever the counter says: after a death, or to end. */
  wake(): void {
    Atomics.notify(this.#control, RING.commits);
  }

  #fire(): void {
    this.#armed = false;
    this.#seen = Atomics.load(this.#control, RING.commits);
    this.#changed();
  }
}
