/** Bytes that a source holds for others, up to a ceiling. */
export class Memory {
  readonly #most: number;
  #held = 0;

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes more (or less, which is always well) are held; false: that is more than may be, and they have to be given back. */
  holds(bytes: number): boolean {
    this.#held += bytes;
    return this.#held <= this.#most;
  }
}
