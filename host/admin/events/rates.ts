/** Rates are over this many samples, taken once a second. */
const SAMPLES = 5;

interface Series {
  readonly values: number[];
  readonly times: number[];
  /** Milliseconds since 1970 when the value was last seen to have grown. */
  grewAt: number;
}

/** Growth a second of counters, over the last seconds. */
export class Rates {
  readonly #series = new Map<string, Series>();

  /** @param nowMs milliseconds since 1970 */
  sample(name: string, value: number, nowMs = Date.now()): void {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = { values: [], times: [], grewAt: value > 0 ? nowMs : 0 };
      this.#series.set(name, series);
    }
    const { values, times } = series;
    if (values.length > 0 && value > (values.at(-1) as number)) series.grewAt = nowMs;
    values.push(value);
    times.push(nowMs);
    if (values.length <= SAMPLES) return;
    values.shift();
    times.shift();
  }

  /** A second; 0 as long as nothing can be said. */
  of(name: string): number {
    const { values = [], times = [] } = this.#series.get(name) ?? {};
    const ms = (times.at(-1) ?? 0) - (times[0] ?? 0);
    if (ms <= 0) return 0;
    return Math.round((((values.at(-1) as number) - (values[0] as number)) * 10_000) / ms) / 10;
  }

  /** The counter as it was sampled last. */
  total(name: string): number {
    return this.#series.get(name)?.values.at(-1) ?? 0;
  }

  /** Milliseconds since 1970 when it last grew, to a second; 0: never. */
  grewAt(name: string): number {
    return this.#series.get(name)?.grewAt ?? 0;
  }
}
