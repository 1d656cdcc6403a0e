import { performance } from 'node:perf_hooks';

/** How often it is looked at, at most. */
const LOOK_MS = 100;
/** Share of the time in which the loop had something to do, from which on it counts as busy, and below which no more. */
const BUSY = 0.85;
const NOT_BUSY = 0.7;

/**
 * Whether the loop of this thread has hardly any time to spare. Then what comes waits for its turn anyway, and what is spared
 * on one frame is what the next one does not wait for.
 */
export class LoopLoad {
  readonly #utilization: () => { readonly active: number; readonly idle: number };
  #active = 0;
  #idle = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isBusy = false;

  /** @param utilization milliseconds that the loop worked and slept since it began */
  constructor(
    utilization: () => { readonly active: number; readonly idle: number } = () =>
      performance.eventLoopUtilization(),
  ) {
    this.#utilization = utilization;
  }

  /** @param now performance.now() */
  isBusy(now: number): boolean {
    if (now - this.#lookedAt < LOOK_MS) return this.#isBusy;
    this.#lookedAt = now;
    const { active, idle } = this.#utilization();
    const share = (active - this.#active) / (active - this.#active + idle - this.#idle);
    this.#isBusy = share >= (this.#isBusy ? NOT_BUSY : BUSY);
    this.#active = active;
    this.#idle = idle;
    return this.#isBusy;
  }
}
