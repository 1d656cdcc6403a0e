import type { KeptState } from '../../../sandbox/index.js';

interface Held {
  readonly states: readonly KeptState[];
  /** Slab whose frames are the last that they have counted in. */
  readonly upTo: number;
}

/**
 * Lets what plugins remember go to the disk only when the frames that are counted in it are delivered: else a frame
 * that was lost with the process, and comes again, would be counted twice.
 */
export class StateGate {
  readonly #save: (states: readonly KeptState[]) => void;
  /** The first that can go, and the newest; what lies between is of no use. */
  readonly #held: Held[] = [];
  #delivered: number;

  /** @param before slab before the first */
  constructor(before: number, save: (states: readonly KeptState[]) => void) {
    this.#delivered = before;
    this.#save = save;
  }

  /** @param upTo slab that is the last to be counted in; a state that stands before one that is held takes its place */
  put(states: readonly KeptState[], upTo: number): void {
    // Behind a version that was taken back, the one before stands where it stood: what that one sent is void.
    while (this.#held.length > 0 && (((this.#held.at(-1) as Held).upTo - upTo) | 0) >= 0) this.#held.pop();
    if (this.#held.length > 1) this.#held.pop();
    this.#held.push({ states, upTo });
    this.#look();
  }

  /** Everything up to this slab is confirmed or on the disk. */
  delivered(slab: number): void {
    this.#delivered = slab;
    if (this.#held.length > 0) this.#look();
  }

  #look(): void {
    let last: Held | undefined;
    while (this.#held.length > 0 && (((this.#held[0] as Held).upTo - this.#delivered) | 0) <= 0)
      last = this.#held.shift();
    if (last !== undefined) this.#save(last.states);
  }
}
