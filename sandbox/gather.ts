/** Frames in a millisecond from which on it pays to wait for more: a wake-up costs as much as many of them. */
const MANY = 16;
/** Milliseconds that frames wait at most, as far as a timer keeps them. */
const WAIT_MS = 1;

/**
 * Decides when the frames that wait for an idle sandbox are published: at once as a rule; within about a
 * millisecond where so many come (16,000 a second and more) that small batches are mostly wake-ups.
 */
export class Gather {
  readonly #publish: () => void;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  #frames = 0;

  constructor(publish: () => void) {
    this.#publish = publish;
  }

  /** The sandbox is idle, and `waiting` frames are there for it. */
  offer(waiting: number): void {
    if (this.#timer !== undefined) return;
    const now = performance.now();
    if (now - this.#since > WAIT_MS) {
      this.#since = now;
      this.#frames = 0;
    }
    if (this.#frames + waiting >= MANY) {
      this.#timer = setTimeout(this.#due, WAIT_MS);
      return;
    }
    this.#frames += waiting;
    this.#publish();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    this.#since = performance.now();
    this.#frames = MANY;
    this.#publish();
  };
}
