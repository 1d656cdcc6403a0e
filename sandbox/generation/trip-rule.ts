/** When a breaker opens. */
export interface TripLimits {
  /** Faults in a row. */
  readonly faults: number;
  /** Share of frames that fault, 0 to 1 ... */
  readonly rate: number;
  /** ... and share of batches over their budget; each of at least `least` within `windowMs`. */
  readonly slow: number;
  readonly least: number;
  readonly windowMs: number;
}

/** Why it opens. */
export type Trip =
  | { readonly kind: 'row'; readonly faults: number }
  | { readonly kind: 'rate'; readonly faults: number; readonly frames: number }
  | { readonly kind: 'slow'; readonly slow: number; readonly batches: number };

/** The window moves on in steps of a tenth of itself. */
const STEPS = 10;
/** What is counted in each step. */
const FRAMES = 0;
const FAULTS = 1;
const BATCHES = 2;
const SLOW = 3;
const KINDS = 4;

/** Decides from what a chain does when it has done enough harm. Knows no clock: times are passed in, milliseconds. */
export class TripRule {
  readonly #limits: TripLimits;
  readonly #steps = new Float64Array(STEPS * KINDS);
  readonly #sums = new Float64Array(KINDS);
  #step = 0;
  #row = 0;

  constructor(limits: TripLimits) {
    this.#limits = limits;
  }

  /** Frames that were answered: with messages, or with "I cannot convert this". */
  good(now: number, frames: number): void {
    this.#row = 0;
    this.#add(now, FRAMES, frames);
  }

  fault(now: number): Trip | undefined {
    const { faults, rate, least } = this.#limits;
    this.#row++;
    this.#add(now, FRAMES, 1);
    this.#add(now, FAULTS, 1);
    if (this.#row >= faults) return { kind: 'row', faults: this.#row };
    const [all = 0, bad = 0] = this.#sums;
    return all >= least && bad >= all * rate ? { kind: 'rate', faults: bad, frames: all } : undefined;
  }

  /**
   * Faults that may follow now, good frames between them or not, before one of them opens it. What leaves the window
   * meanwhile is not foreseen.
   */
  bears(now: number): number {
    const { faults, rate, least } = this.#limits;
    this.#moveOn(now);
    const [all = 0, bad = 0] = this.#sums;
    // The n-th trips the rate if bad + n >= rate * max(least, all + n), and good frames only make `all` larger.
    const few = Math.ceil(least * rate - bad) - 1;
    const many = rate < 1 ? Math.ceil((all * rate - bad) / (1 - rate)) - 1 : Number.POSITIVE_INFINITY;
    return Math.max(0, Math.min(faults - this.#row - 1, Math.max(few, many)));
  }

  /** @param slow it took longer than its budget, or was killed for its time */
  batch(now: number, slow: boolean): Trip | undefined {
    this.#add(now, BATCHES, 1);
    if (!slow) return undefined;
    this.#add(now, SLOW, 1);
    const batches = this.#sums[BATCHES] as number;
    const over = this.#sums[SLOW] as number;
    if (batches < this.#limits.least || over < batches * this.#limits.slow) return undefined;
    return { kind: 'slow', slow: over, batches };
  }

  /** Begins anew: what was before says nothing about what comes. */
  reset(): void {
    this.#row = 0;
    this.#steps.fill(0);
    this.#sums.fill(0);
  }

  #add(now: number, kind: number, count: number): void {
    this.#moveOn(now);
    const at = (this.#step % STEPS) * KINDS + kind;
    this.#steps[at] = (this.#steps[at] as number) + count;
    this.#sums[kind] = (this.#sums[kind] as number) + count;
  }

  #moveOn(now: number): void {
    const step = Math.floor((now * STEPS) / this.#limits.windowMs);
    // Steps that have left the window, all of them after a long silence.
    for (let next = Math.max(this.#step + 1, step - STEPS + 1); next <= step; next++) this.#forget(next);
    this.#step = Math.max(this.#step, step);
  }

  #forget(step: number): void {
    const at = (step % STEPS) * KINDS;
    for (let kind = 0; kind < KINDS; kind++) {
      this.#sums[kind] = (this.#sums[kind] as number) - (this.#steps[at + kind] as number);
      this.#steps[at + kind] = 0;
    }
  }
}
