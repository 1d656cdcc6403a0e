import type { Static } from 'typebox';
import type { Probation, WhenOpen } from '../../../sandbox/index.js';
import type { BreakerConfig } from '../config.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { BreakerSchema, ProbationSchema, WhenOpenSchema } from '../schema/breaker.js';

const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

export function normaliseBreaker(
  input: Static<typeof BreakerSchema>,
  path: Path,
  read: Reader,
): BreakerConfig {
  const { whenOpen, faults = 5, rate = 0.5, slow = 0.5, least = 20, pause = {} } = input;
  const min = read.duration(pause.min, [...path, 'pause', 'min'], { least: 1 });
  const max = read.duration(pause.max, [...path, 'pause', 'max'], { least: 1 });
  const pauseMs = min ?? Math.min(PAUSE_MS, max ?? PAUSE_MS);
  const longestPauseMs = max ?? Math.max(LONGEST_PAUSE_MS, pauseMs);
  if (pauseMs > longestPauseMs) read.error([...path, 'pause', 'min'], 'is longer than max');
  const windowMs = read.duration(input.window, [...path, 'window'], { least: 10 }) ?? 10_000;
  return {
    whenOpen: whenOpenOf(whenOpen) ?? 'fallback',
    limits: { faults, rate, slow, least, windowMs, pauseMs, longestPauseMs },
  };
}

/** One policy has two names: ours, and Envoy's. */
export function whenOpenOf(input: Static<typeof WhenOpenSchema> | undefined): WhenOpen | undefined {
  return input === 'fail-closed' ? 'refuse' : input;
}

export function normaliseProbation(
  input: Static<typeof ProbationSchema>,
  path: Path,
  read: Reader,
): Probation {
  return { frames: input.frames ?? 1000, ms: read.duration(input.for, [...path, 'for']) ?? 10_000 };
}
