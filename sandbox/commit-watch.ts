import { RING } from './ring-words.js';

/** Calls back on the host's thread after each commit of a ring, through Atomics.waitAsync. */
export class CommitWatch {
  readonly #control: Int32Array;
  readonly #changed: () => void;
  #armed = false;

  constructor(control: Int32Array, changed: () => void) {
    this.#control = control;
    this.#changed = changed;
  }

  /** Waits for the counter to leave `seen`. One wait at a time; calls while it waits do nothing. */
  arm(seen: number): void {
    if (this.#armed) return;
    const wait = Atomics.waitAsync(this.#control, RING.committed, seen);
    this.#armed = true;
    if (wait.async) void wait.value.then(() => this.#fire());
    else queueMicrotask(() => this.#fire());
  }

  /** Wakes a wait whatever the counter says: after a death, or to end. */
  wake(): void {
    Atomics.notify(this.#control, RING.committed);
  }

  #fire(): void {
    this.#armed = false;
    this.#changed();
  }
}
