/** Numbers at random that come again with the same seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 <= n < sides, whole. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * sides);
  }

  one<T>(of: readonly T[]): T {
    return of[this.roll(of.length)] as T;
  }

  /** True once in so many. */
  once(sides: number): boolean {
    return this.roll(sides) === 0;
  }
}
