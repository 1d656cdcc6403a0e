import type { BenchResult } from '../report.js';
import { median, rounded } from '../stats.js';
import type { Seen } from './load.js';
import { burstsOf, quantile, type Round, type Row, recoveriesOf } from './row.js';

/** @param killed milliseconds that each kill came behind its deadline, sorted */
export function verdict(rows: readonly Row[], killed: readonly number[]): BenchResult {
  const judged = rows.filter(({ attack: { isJudged } }) => isJudged);
  const trap = Math.max(0, ...judged.map(row => quantile(recoveriesOf(row), 0.99)));
  const rounds = rows.flatMap(row => row.rounds);
  return {
    ratios: {
      throughput: rounded(
        Math.min(...rows.map(row => ratioOf(row.rounds, 'burdened', ({ perSecond }) => perSecond))),
      ),
      p99: rounded(Math.max(...rows.map(row => p99Ratio(row, 'burdened')))),
      'p99 to that of the route alone': rounded(Math.max(...rows.map(row => p99Ratio(row, 'calm')))),
      lost: Math.max(
        rounds.reduce((sum, { attacked }) => sum + attacked.lost, 0),
        rows.reduce((sum, { counted }) => sum + counted.lost, 0),
      ),
      duplicated: rows.reduce((sum, { counted }) => sum + counted.duplicated, 0),
      'out of order': rows.reduce((sum, { counted }) => sum + counted.disordered, 0),
      'trap to next good message, ms': rounded(trap),
      'a kill beyond its deadline, ms': rounded(quantile(killed, 0.99)),
      'host exits': rows.filter(({ exit }) => exit !== 0).length,
      'attacks not told of': rows.filter(({ told }) => !told).length,
    },
    targets: {
      throughput: { atLeast: 0.95 },
      p99: { atMost: 2 },
      lost: { atMost: 0 },
      duplicated: { atMost: 0 },
      'out of order': { atMost: 0 },
      'trap to next good message, ms': { atMost: 10 },
      'a kill beyond its deadline, ms': { atMost: 20 },
      'host exits': { atMost: 0 },
      'attacks not told of': { atMost: 0 },
    },
    figures: {
      killBeyondDeadlineMs: {
        kills: killed.length,
        p50: rounded(quantile(killed, 0.5)),
        p99: rounded(quantile(killed, 0.99)),
      },
      guests: Object.fromEntries(rows.map(row => [row.attack.guest, figuresOf(row)])),
    },
    tables: [
      {
        head: [
          'guest',
          'p99',
          'burner',
          'alone',
          'ratio',
          'attacks',
          'recovery p50',
          'p99',
          'good burst p99',
        ],
        rows: rows.map(row => [
          row.attack.guest,
          ...(['attacked', 'burdened', 'calm'] as const).map(kind => ms(p99Of(row, kind))),
          p99Ratio(row, 'burdened').toFixed(2),
          String(recoveriesOf(row).length),
          ms(quantile(recoveriesOf(row), 0.5)),
          ms(quantile(recoveriesOf(row), 0.99)),
          row.attack.isJudged ? ms(quantile(burstsOf(row), 0.99)) : '',
        ]),
      },
    ],
  };
}

/** Of the windows of each round to each other, the median. */
function ratioOf(rounds: readonly Round[], to: 'burdened' | 'calm', of: (seen: Seen) => number): number {
  return median(rounds.map(round => of(round.attacked) / of(round[to])));
}

export function p99Ratio({ rounds }: Row, to: 'burdened' | 'calm'): number {
  return ratioOf(rounds, to, ({ p99Ms }) => p99Ms);
}

/** The median of the rounds. */
export function p99Of({ rounds }: Row, kind: 'attacked' | 'burdened' | 'calm'): number {
  return median(rounds.map(round => round[kind].p99Ms));
}

function figuresOf(row: Row): Record<string, unknown> {
  const { rounds, told } = row;
  const recoveries = recoveriesOf(row);
  return {
    p99Ms: rounds.map(({ attacked }) => rounded(attacked.p99Ms)),
    p99BesideBurnerMs: rounds.map(({ burdened }) => rounded(burdened.p99Ms)),
    p99AloneMs: rounds.map(({ calm }) => rounded(calm.p99Ms)),
    p99Ratio: rounded(p99Ratio(row, 'burdened')),
    p99ToAlone: rounded(p99Ratio(row, 'calm')),
    throughputToAlone: rounded(ratioOf(rounds, 'calm', ({ perSecond }) => perSecond)),
    attacks: recoveries.length,
    recoveryP50Ms: rounded(quantile(recoveries, 0.5)),
    recoveryP99Ms: rounded(quantile(recoveries, 0.99)),
    ...(row.attack.isJudged ? { goodBurstP99Ms: rounded(quantile(burstsOf(row), 0.99)) } : {}),
    processors: rounds.map(({ processors }) => rounded(processors)),
    told,
  };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
