/** A sum that is good to a few 2^-53 of itself and of what was lost on the way (Neumaier's compensation). */
export class ExactSum {
  #sum = 0;
  #lost = 0;
  /** Of the absolute values: bounds are told by it. */
  magnitude = 0;

  add(value: number): this {
    const next = this.#sum + value;
    // Infinities and NaN would make the compensation NaN.
    if (Number.isFinite(next)) {
      this.#lost +=
        Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - next + value : value - next + this.#sum;
    }
    this.#sum = next;
    this.magnitude += Math.abs(value);
    return this;
  }

  get value(): number {
    return this.#sum + this.#lost;
  }
}

export function sum(values: Iterable<number>): number {
  const total = new ExactSum();
  for (const value of values) total.add(value);
  return total.value;
}
