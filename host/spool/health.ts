import type { WindowedSink } from '../sinks/sink.js';

/** A sink that has been away this long is not waited for, and what waits in its window is copied. */
const AWAY_MS = 1000;
/** The same for one that is there and whose window has been full this long ... */
const FULL_MS = 50;
/** ... and for one that has not confirmed a message for this long. */
const LATE_MS = 3000;

/** Judges by what a sink does whether messages may pass straight to it. */
export class Health {
  readonly #sink: WindowedSink;
  /** When the sink was looked at, and what it had taken by then; oldest first. */
  readonly #looks: { readonly at: number; readonly taken: number }[] = [];
  #awaySince: number | undefined;
  #fullSince: number | undefined;
  #isLate = false;
  isConnected = false;
  /** Messages may pass straight to the sink. */
  isPassing = true;

  constructor(sink: WindowedSink) {
    this.#sink = sink;
  }

  /** What waits in the window is better copied. */
  get wantsCopies(): boolean {
    return this.#isLate || this.#isAway(performance.now());
  }

  look(now = performance.now()): void {
    this.isConnected = this.#sink.state().state === 'connected';
    if (this.isConnected) this.#awaySince = undefined;
    else this.#awaySince ??= now;
    this.#lookAtWindow(now);
    const fullForNow = this.#fullSince !== undefined && (!this.isConnected || this.#isFull(now));
    this.isPassing = !this.#isAway(now) && !this.#isLate && !fullForNow;
  }

  /** The window has taken nothing; true if that has lasted long enough. */
  full(now = performance.now()): boolean {
    this.#fullSince ??= now;
    // Nobody makes room while it is away.
    if (this.#isFull(now) || this.#sink.state().state !== 'connected') this.isPassing = false;
    return !this.isPassing;
  }

  /** The window has room again. */
  room(): void {
    this.#fullSince = undefined;
  }

  #lookAtWindow(now: number): void {
    const { taken, settled } = this.#sink;
    this.#looks.push({ at: now, taken });
    // The newest look that is old enough stays; what is older says nothing more.
    while (this.#looks.length > 1 && now - (this.#looks[1]?.at ?? now) >= LATE_MS) this.#looks.shift();
    const then = this.#looks[0];
    this.#isLate = then !== undefined && now - then.at >= LATE_MS && settled < then.taken;
  }

  #isAway(now: number): boolean {
    return this.#awaySince !== undefined && now - this.#awaySince >= AWAY_MS;
  }

  #isFull(now: number): boolean {
    return this.#fullSince !== undefined && now - this.#fullSince >= FULL_MS;
  }
}
