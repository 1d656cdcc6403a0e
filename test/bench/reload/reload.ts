import { type BenchResult, progress } from '../report.js';
import { rounded } from '../stats.js';
import { type Phase, phase, type Swap, type Window } from './phase.js';

const SWAPS = 100;
/** With `--short`, of each part. */
const FEW_SWAPS = 10;
/** A rate that leaves the machine room: what is looked at is the swap, not a queue in front of a busy broker. */
const CALM_RATE = 1000;
const FULL_RATE = 20_000;
const P95_MS = 23;
/** Of the p99 of the longest pauses, above that of as many and as long stretches without a swap between them. */
const GAP_MS = 5;

/**
 * Reloads from a tunnel to MQTT at QoS 0. First the time from the rename of a file to the first message of its version;
 * then swaps under 20,000 frames a second: every frame counted, and the longest pause of the outputs at each swap, beside
 * that of as long a stretch without one behind each.
 * @param swaps of the second part, at most 5,000
 */
export async function reload(swaps: number | undefined, short: boolean): Promise<BenchResult> {
  const calmSwaps = short ? FEW_SWAPS : SWAPS;
  const fullSwaps = swaps ?? calmSwaps;
  progress(`${calmSwaps} swaps at ${CALM_RATE} frames/s`);
  const calm = await phase(CALM_RATE, calmSwaps, false);
  progress(`${fullSwaps} swaps at ${FULL_RATE} frames/s`);
  const full = await phase(FULL_RATE, fullSwaps, true);
  const lost = [calm.account.lost, full.account.lost, full.counted?.lost ?? Number.NaN];
  const duplicated = [
    calm.account.duplicated,
    full.account.duplicated,
    full.counted?.duplicated ?? Number.NaN,
  ];
  const disordered = [
    calm.account.disordered,
    full.account.disordered,
    full.counted?.disordered ?? Number.NaN,
  ];
  const [calmFigures, fullFigures] = [figuresOf(calm), figuresOf(full)];
  return {
    ratios: {
      'rename to first message, p95 ms': calmFigures.toFirstMs.p95,
      lost: Math.max(...lost),
      duplicated: Math.max(...duplicated),
      'out of order': Math.max(...disordered),
      'pause at a swap, p99 ms beyond none': rounded(fullFigures.gapMs.p99 - fullFigures.stillGapMs.p99),
    },
    targets: {
      'rename to first message, p95 ms': { atMost: P95_MS },
      lost: { atMost: 0 },
      duplicated: { atMost: 0 },
      'out of order': { atMost: 0 },
      'pause at a swap, p99 ms beyond none': { atMost: GAP_MS },
    },
    figures: {
      [`at${CALM_RATE}PerSecond`]: calmFigures,
      [`at${FULL_RATE}PerSecond`]: fullFigures,
      frames: full.account.sent,
      lostBy: { witness: full.account.lost, mosquittoSub: full.counted?.lost },
      duplicatedBy: { witness: full.account.duplicated, mosquittoSub: full.counted?.duplicated },
      toFirstMs: calm.swaps.map(({ toFirstMs }) => rounded(toFirstMs)),
      gapMs: full.swaps.map(({ window }) => rounded(window.gapMs)),
      stillGapMs: full.swaps.map(({ still }) => rounded(still.gapMs)),
      plan: {
        swaps: { calm: calmSwaps, full: fullSwaps },
        calmPerSecond: CALM_RATE,
        fullPerSecond: FULL_RATE,
        qos: 0,
      },
    },
    tables: [
      {
        head: ['swaps, ms', `${CALM_RATE}/s p50`, 'p95', 'p99', `${FULL_RATE}/s p50`, 'p95', 'p99'],
        rows: ROWS.map(([key, title]) => [title, ...cells(calmFigures[key]), ...cells(fullFigures[key])]),
      },
    ],
  };
}

const ROWS = [
  ['toFirstMs', 'rename to first message'],
  ['routerMs', 'of that in the router, by its log'],
  ['queueMs', 'of that in the queue of broker and gateway'],
  ['gapMs', 'longest pause of the outputs'],
  ['stillGapMs', 'the same in as long stretches without a swap'],
] as const;

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

type Figures = Record<(typeof ROWS)[number][0], Spread> & {
  /** Of the gateway, all its threads: what a stretch with a swap takes more than one without, milliseconds. */
  readonly cpuOfSwapMs: number;
};

function figuresOf({ swaps, serving }: Phase): Figures {
  const of = (pick: (swap: Swap) => number): Spread => spread(swaps.map(pick));
  const cpu = (pick: (swap: Swap) => Window): number =>
    swaps.reduce((sum, each) => sum + pick(each).cpuMs, 0) / swaps.length;
  return {
    toFirstMs: of(({ toFirstMs }) => toFirstMs),
    routerMs: spread(serving),
    queueMs: of(({ queueMs }) => queueMs),
    gapMs: of(({ window }) => window.gapMs),
    stillGapMs: of(({ still }) => still.gapMs),
    cpuOfSwapMs: rounded(cpu(({ window }) => window) - cpu(({ still }) => still)),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function cells({ p50, p95, p99 }: Spread): string[] {
  return [p50, p95, p99].map(value => value.toFixed(1));
}
