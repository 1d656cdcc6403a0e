import { type ChainSpec, Generation } from './generation.js';

/** The generations of a slot that may serve: the newest, and the one to fall back to. */
export class Lineage {
  #count = 0;
  #current: Generation | undefined;
  #fallback: Generation | undefined;

  get current(): Generation | undefined {
    return this.#current;
  }

  /** The one before the newest, if it was well when it went, and ran other code. */
  get fallback(): Generation | undefined {
    return this.#fallback;
  }

  /** The newest from here on. @param before what served until now */
  add(spec: ChainSpec, before: Generation | undefined): Generation {
    const next = new Generation(++this.#count, spec);
    // The same once more (a reset) is nothing to fall back to, and does not replace what is.
    this.#fallback = [before, this.#current, this.#fallback].find(
      known => known !== undefined && known.isHealthy && !known.runsSame(next),
    );
    this.#current = next;
    return next;
  }

  /** The one before is the newest again. */
  rollBack(): Generation | undefined {
    const back = this.#fallback;
    if (back === undefined) return undefined;
    if (this.#current !== undefined) this.#current.isRejected = true;
    this.#current = back;
    this.#fallback = undefined;
    return back;
  }

  /** Those that may serve. */
  get all(): readonly Generation[] {
    return [this.#current, this.#fallback].filter(each => each !== undefined);
  }

  /** Nobody falls back any more. */
  dropFallback(): void {
    this.#fallback = undefined;
  }
}
