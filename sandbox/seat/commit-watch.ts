import { RING } from '../ring/ring-words.js';
import { SPIN_US, SpinGate } from '../ring/spin-gate.js';

/**
 * Calls back on the host's thread after each commit of a ring: by looking again for a moment while that
 * pays, else through Atomics.waitAsync. What it compares with is the count from before the last callback,
 * so that a commit that comes in the midst of one is told of by another.
 */
export class CommitWatch {
  readonly #control: Int32Array;
  readonly #busy: () => boolean;
  readonly #changed: () => void;
  readonly #gate = new SpinGate();
  #state: 'off' | 'looking' | 'asleep' = 'off';
  #seen: number;
  #until = 0;

  /** @param busy true while a slab is published and not committed; without one there is nothing to wait for */
  constructor(control: Int32Array, busy: () => boolean, changed: () => void) {
    this.#control = control;
    this.#busy = busy;
    this.#changed = changed;
    this.#seen = Atomics.load(control, RING.commits);
  }

  /** Waits for the next commit. One wait at a time; calls while it waits, or while there is nothing to wait for, do nothing. */
  arm(): void {
    // A commit that came already counts too: the thread may have been faster than this call.
    if (this.#state !== 'off' || !(this.#isNew || this.#busy())) return;
    if (!this.#gate.isOpen) {
      this.#sleep();
      return;
    }
    this.#state = 'looking';
    this.#until = performance.now() + SPIN_US / 1000;
    setImmediate(this.#look);
  }

  /** Ends a wait whatever the counter says: after a death, or to end. */
  wake(): void {
    if (this.#state === 'looking') this.#fire();
    else Atomics.notify(this.#control, RING.commits);
  }

  /** One look a turn of the event loop, so that sockets are served meanwhile. */
  readonly #look = (): void => {
    if (this.#state !== 'looking') return;
    if (this.#isNew) {
      this.#gate.paid();
      this.#fire();
    } else if (performance.now() < this.#until) {
      setImmediate(this.#look);
    } else {
      this.#gate.wasted();
      this.#sleep();
    }
  };

  get #isNew(): boolean {
    return Atomics.load(this.#control, RING.commits) !== this.#seen;
  }

  #sleep(): void {
    this.#state = 'asleep';
    const wait = Atomics.waitAsync(this.#control, RING.commits, this.#seen);
    if (wait.async) void wait.value.then(() => this.#fire());
    else queueMicrotask(() => this.#fire());
  }

  #fire(): void {
    this.#state = 'off';
    this.#seen = Atomics.load(this.#control, RING.commits);
    this.#changed();
  }
}
