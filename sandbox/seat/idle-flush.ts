/** A chain that has had nothing to do for this long is asked for what it holds back. */
const IDLE_MS = 1000;

/** Calls for one flush after each stretch of work, once it is quiet. */
export class IdleFlush {
  readonly #flush: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #worked = 0;
  #flushed = true;

  /** @param flush asks for it; false when there is still work under way */
  constructor(flush: () => boolean) {
    this.#flush = flush;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), IDLE_MS / 2).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Something was published. */
  worked(): void {
    this.#worked = performance.now();
    this.#flushed = false;
  }

  #look(): void {
    if (this.#flushed || performance.now() - this.#worked < IDLE_MS) return;
    // Publishing the flush counts as work: what is noted last is that it was one.
    if (this.#flush()) this.#flushed = true;
  }
}
