import type { Counted } from '../reload/subscriber-count.js';
import type { Attack } from './guests.js';
import type { Seen } from './load.js';

/** One after the other, so that what else the machine does is in all of them. */
export interface Round {
  /** Beside nothing. */
  readonly calm: Seen;
  readonly attacked: Seen;
  /** Beside burners that take as much processor as the attack did. */
  readonly burdened: Seen;
  /** Beside bursts of good messages, where those behind a poisoned one are judged. */
  readonly unpoisoned: Seen | undefined;
  /** Processors that the attack took. */
  readonly processors: number;
}

/** What one guest did. */
export interface Row {
  readonly attack: Attack;
  readonly rounds: readonly Round[];
  /** Of the healthy route in all windows, by mosquitto_sub. */
  readonly counted: Counted;
  readonly exit: number | string;
  readonly told: boolean;
}

/** Of sorted values: the one that this share of them does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** Of all rounds, sorted. */
export function recoveriesOf({ rounds }: Row): number[] {
  return rounds.flatMap(({ attacked }) => attacked.recoveries).sort((a, b) => a - b);
}

/** The same bursts without a poisoned message. */
export function burstsOf({ rounds }: Row): number[] {
  return rounds.flatMap(({ unpoisoned }) => unpoisoned?.recoveries ?? []).sort((a, b) => a - b);
}
