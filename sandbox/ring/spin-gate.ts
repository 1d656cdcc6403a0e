import { availableParallelism } from 'node:os';

/** How long a thread looks again before it sleeps: about what a sleep and a wake cost, microseconds. */
export const SPIN_US = 50;

const HIGHEST = 8;
const LOWEST = -4;
/** While looking again does not pay, every 64th time is a try whether it does by now. */
const TRY_EVERY = 64;

/**
 * Decides whether a thread that has nothing to do looks again for a moment instead of sleeping at once. A
 * wake-up of a sleeping core costs tens of microseconds, so with one batch in flight it is most of the time;
 * where work comes seldom, looking again only burns time. So it is done as long as it pays.
 */
export class SpinGate {
  /** With one core, whoever spins keeps the other from working. */
  readonly #possible = availableParallelism() > 1;
  #score = 0;
  #turns = 0;

  get isOpen(): boolean {
    if (!this.#possible) return false;
    return this.#score > LOWEST || ++this.#turns % TRY_EVERY === 0;
  }

  /** Something came while it was looked for. */
  paid(): void {
    this.#score = Math.min(this.#score + 2, HIGHEST);
  }

  /** Nothing came. */
  wasted(): void {
    this.#score = Math.max(this.#score - 1, LOWEST);
  }
}
