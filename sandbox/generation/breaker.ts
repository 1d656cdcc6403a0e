import type { Fault } from '../../runtime/index.js';
import { type Trip, type TripLimits, TripRule } from './trip-rule.js';

/** Why a breaker is open: the rule that was broken, or a chain that cannot be started. */
export interface Cause {
  readonly trip: Trip | { readonly kind: 'start' };
  /** Name of the plugin that is to blame. */
  readonly plugin: string;
  /** The last fault before it opened. */
  readonly fault: Fault;
}

/** Times in milliseconds of one clock that never jumps. */
export type BreakerState =
  | { readonly kind: 'closed' }
  /** No guest is called. `retryAt` undefined: until a new file comes or an operator resets it. */
  | {
      readonly kind: 'open';
      readonly since: number;
      readonly retryAt: number | undefined;
      readonly cause: Cause;
    }
  /** Tried again: it closes after `left` more good frames, and opens with the next fault. */
  | { readonly kind: 'half-open'; readonly since: number; readonly left: number; readonly cause: Cause };

export interface BreakerLimits extends TripLimits {
  /** First and longest pause before it is tried again; they double, and up to a quarter is added at random. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

/** After this many openings in this time it stays open: to try again has not helped. */
const MOST_OPENINGS = 5;
const OPENINGS_WITHIN_MS = 600_000;
/** Good frames in a row that close it. */
const PROBES = 5;

const CLOSED: BreakerState = { kind: 'closed' };

/**
 * The circuit breaker of one generation of a chain. A state machine without a clock and without timers: its owner
 * tells it what happens, looks at its state after that, and tries again when it is time.
 */
export class Breaker {
  readonly #limits: BreakerLimits;
  readonly #rule: TripRule;
  readonly #random: () => number;
  #state: BreakerState = CLOSED;
  #openings: number[] = [];
  /** Tries that failed since it opened. */
  #failed = 0;

  /** @param random 0 to 1, spreads the tries of many breakers that opened together */
  constructor(limits: BreakerLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#rule = new TripRule(limits);
    this.#random = random;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Openings within the last ten minutes. */
  openings(now: number): number {
    return this.#openings.filter(at => now - at < OPENINGS_WITHIN_MS).length;
  }

  /** Faults that may follow now before one of them opens it. */
  bears(now: number): number {
    return this.#state.kind === 'closed' ? this.#rule.bears(now) : 0;
  }

  good(now: number, frames: number): void {
    this.#rule.good(now, frames);
    if (this.#state.kind !== 'half-open') return;
    const left = this.#state.left - frames;
    if (left > 0) this.#state = { ...this.#state, left };
    else {
      this.#state = CLOSED;
      this.#failed = 0;
    }
  }

  fault(now: number, plugin: string, fault: Fault): void {
    const trip = this.#rule.fault(now);
    if (this.#state.kind === 'half-open') this.#again(now, { ...this.#state.cause, plugin, fault });
    else if (trip !== undefined) this.#open(now, { trip, plugin, fault });
  }

  /** @param slow it took longer than its budget, or was killed for its time */
  batch(now: number, slow: boolean, plugin: string, fault: () => Fault): void {
    const trip = this.#rule.batch(now, slow);
    if (trip !== undefined) this.#open(now, { trip, plugin, fault: fault() });
  }

  /** A fresh instance could not be started. */
  startFailed(now: number, plugin: string, fault: Fault): void {
    if (this.#state.kind === 'closed') this.#open(now, { trip: { kind: 'start' }, plugin, fault });
    else this.#again(now, { ...this.#state.cause, plugin, fault });
  }

  /** It is time to try again, and somebody does. */
  tryAgain(now: number): void {
    if (this.#state.kind !== 'open') return;
    this.#rule.reset();
    this.#state = { kind: 'half-open', since: now, left: PROBES, cause: this.#state.cause };
  }

  #open(now: number, cause: Cause): void {
    if (this.#state.kind !== 'closed') return;
    this.#failed = 0;
    this.#openings = [...this.#openings.filter(at => now - at < OPENINGS_WITHIN_MS), now];
    this.#state = { kind: 'open', since: now, retryAt: this.#retryAt(now), cause };
  }

  /** The try has failed: open as before, for longer. */
  #again(now: number, cause: Cause): void {
    if (this.#state.kind === 'closed') return;
    this.#failed++;
    this.#state = { kind: 'open', since: this.#state.since, retryAt: this.#retryAt(now), cause };
  }

  #retryAt(now: number): number | undefined {
    const openings = this.openings(now);
    if (openings >= MOST_OPENINGS) return undefined;
    const { pauseMs, longestPauseMs } = this.#limits;
    const pause = Math.min(pauseMs * 2 ** (Math.max(openings - 1, 0) + this.#failed), longestPauseMs);
    return now + pause * (1 + this.#random() / 4);
  }
}
