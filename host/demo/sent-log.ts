/** Replies whose time is remembered, for each row. */
const REMEMBERED = 4096;

/** Numbers what simulated devices send, and remembers when it left: by rows of the table. */
export class SentLog {
  readonly #sequences = new Map<string, number>();
  readonly #times = new Map<string, Float64Array>();
  /** All rows together. */
  total = 0;

  /** The next sequence of this row, from 1, which leaves now. */
  next(row: string): number {
    const sequence = this.sequenceOf(row) + 1;
    this.#sequences.set(row, sequence);
    this.total++;
    const times = this.#times.get(row) ?? new Float64Array(REMEMBERED);
    this.#times.set(row, times);
    times[sequence % REMEMBERED] = performance.now();
    return sequence;
  }

  /** The last that left; 0: none yet. */
  sequenceOf(row: string): number {
    return this.#sequences.get(row) ?? 0;
  }

  /** When this one left, performance.now(); undefined if it never did. */
  sentAt(row: string, sequence: number): number | undefined {
    const known = sequence > 0 && sequence <= this.sequenceOf(row);
    return known ? this.#times.get(row)?.[sequence % REMEMBERED] : undefined;
  }
}
