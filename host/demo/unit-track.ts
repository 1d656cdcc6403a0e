/** Latencies kept for the percentiles: the newest. */
const KEPT = 512;

/** What the subscriber has seen of one row. */
export class UnitTrack {
  readonly #seen = new Set<number>();
  readonly #latencies = new Float64Array(KEPT);
  #first = Number.POSITIVE_INFINITY;
  #last = 0;
  #measured = 0;
  /** Messages that came more than once. */
  repeats = 0;
  messages = 0;
  /** The newest message, for people. */
  words = '';

  /** @param latencyMs undefined: not known */
  take(sequence: number, latencyMs: number | undefined): void {
    this.messages++;
    if (this.#seen.has(sequence)) this.repeats++;
    this.#seen.add(sequence);
    this.#first = Math.min(this.#first, sequence);
    this.#last = Math.max(this.#last, sequence);
    if (latencyMs !== undefined) this.#latencies[this.#measured++ % KEPT] = latencyMs;
  }

  /** Different sequences that came. */
  get distinct(): number {
    return this.#seen.size;
  }

  /** Sequences between the first and the last that never came. */
  get lost(): number {
    return this.#seen.size === 0 ? 0 : this.#last - this.#first + 1 - this.#seen.size;
  }

  /** Milliseconds from reply to message, of the newest ones. @param share 0 to 1 */
  latency(share: number): number {
    return percentile(this.#latencies.subarray(0, Math.min(this.#measured, KEPT)), share);
  }
}

/** 0 if there are no values. @param share 0 to 1 */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
