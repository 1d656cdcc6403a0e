import type { Borrower } from '../admission/lend-memory.js';
import { LIMITS } from '../limits.js';

/** A larger one is not emptied but thrown away: that writes each of its pages, most of which the guest may never have used. */
const MOST_PAGES = 16;

/**
 * The memory in which the instances of one stage live, one after the other. A memory of its own is most of what a fresh
 * instance costs (it reserves gigabytes of addresses, and every page comes from the system), and what V8 then has to collect.
 */
export class Room {
  readonly #initial: number;
  readonly #maximum: number;
  #memory: WebAssembly.Memory | undefined;

  constructor({ initial, maximum }: Pick<Borrower, 'initial' | 'maximum'>) {
    this.#initial = initial;
    this.#maximum = maximum;
  }

  /**
   * The memory for the next instance: zero all over, and as large as the module says. Nobody may call the instance before any
   * more. @throws RangeError the system has none
   */
  next(): WebAssembly.Memory {
    const known = this.#memory;
    if (known !== undefined && this.isKept) {
      new Uint8Array(known.buffer).fill(0);
      return known;
    }
    this.#memory = new WebAssembly.Memory({ initial: this.#initial, maximum: this.#maximum });
    return this.#memory;
  }

  /** The next instance gets the memory of this one. One that has grown does not become smaller, and a guest can see its size. */
  get isKept(): boolean {
    const pages = (this.#memory?.buffer.byteLength ?? 0) / LIMITS.page;
    return pages === this.#initial && pages <= MOST_PAGES;
  }
}
