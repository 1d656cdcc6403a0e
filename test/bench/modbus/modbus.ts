import { type BenchResult, progress, type Table } from '../report.js';
import { median, rounded } from '../stats.js';
import { type Load, type Run, runLine } from './line.js';

const ROUNDS = 5;
const DEVICES = 1000;
const WARM_MS = 1000;
const MS = 2000;
/** A rate holds if so many of the polls that were due were made and gave a message. */
const HOLDS = 0.995;
/** Poll periods that are tried, 100 registers each, until one does not hold. */
const PERIODS_MS = [50, 40, 30, 25, 20, 15, 10] as const;

/** Figures that others publish for 1,000 devices and 100,000 points a second, on their machines. */
const PUBLISHED = [
  ['ng-gateway (its own figures, its machine)', '0.07 of its machine', '153 MiB'],
  ['Neuron (its own figures, its machine)', '0.30 of 4 cores', '497 MB'],
] as const;

/**
 * 100,000 points a second from 1,000 devices over Modbus TCP, to JSON, to MQTT at QoS 0, asked for in two ways: cores,
 * memory, jitter of the polls. Then the highest rate that holds.
 */
export async function modbus(short: boolean): Promise<BenchResult> {
  const devices = short ? 50 : DEVICES;
  const [rounds, warmMs, ms] = short ? [1, 300, 500] : [ROUNDS, WARM_MS, MS];
  const loads: Readonly<Record<string, Load>> = {
    '100 registers a second each': { devices, registers: 100, everyMs: short ? 100 : 1000 },
    '10 registers in 100 ms each': { devices, registers: 10, everyMs: 100 },
  };
  const runs = new Map<string, Run[]>(Object.keys(loads).map(name => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    for (const [name, load] of Object.entries(loads)) runs.get(name)?.push(await runLine(load, warmMs, ms));
  }
  const highest = await climb(devices, short ? PERIODS_MS.slice(0, 1) : PERIODS_MS, warmMs, ms);
  return result(runs, highest, { devices, rounds });
}

interface Step extends Run {
  readonly everyMs: number;
  readonly holds: boolean;
}

/** Shorter and shorter periods of 100 registers, up to the first that does not hold. */
async function climb(
  devices: number,
  periods: readonly number[],
  warmMs: number,
  ms: number,
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const everyMs of periods) {
    const run = await runLine({ devices, registers: 100, everyMs }, warmMs, ms);
    const holds = run.made >= HOLDS;
    steps.push({ ...run, everyMs, holds });
    progress(`${run.rate.toFixed(0)} polls/s: ${holds ? 'holds' : `${(run.made * 100).toFixed(1)} % made`}`);
    if (!holds) break;
  }
  return steps;
}

function result(
  runs: ReadonlyMap<string, readonly Run[]>,
  steps: readonly Step[],
  plan: { readonly devices: number; readonly rounds: number },
): BenchResult {
  const names = [...runs.keys()];
  const of = (name: string, field: keyof Run): number =>
    rounded(median((runs.get(name) ?? []).map(run => run[field])));
  const most = (field: keyof Run): number => Math.max(...names.map(name => of(name, field)));
  const best = steps.findLast(step => step.holds);
  return {
    ratios: {
      'cores (the greater of both ways)': most('cores'),
      'resident MiB (the greater)': most('residentMiB'),
      'polls made of those due': Math.min(...names.map(name => of(name, 'made'))),
    },
    targets: {
      'cores (the greater of both ways)': { atMost: 1 },
      'resident MiB (the greater)': { atMost: 256 },
      'polls made of those due': { atLeast: HOLDS },
    },
    figures: {
      loads: Object.fromEntries(
        names.map(name => [
          name,
          {
            pollsPerSecond: of(name, 'rate'),
            cores: of(name, 'cores'),
            residentMiB: of(name, 'residentMiB'),
            jitterP50Ms: of(name, 'jitterP50Ms'),
            jitterP99Ms: of(name, 'jitterP99Ms'),
            made: of(name, 'made'),
          },
        ]),
      ),
      steps: steps.map(({ everyMs, rate, cores, residentMiB, jitterP99Ms, made, holds }) => ({
        everyMs,
        pollsPerSecond: rounded(rate),
        pointsPerSecond: rounded(rate * 100),
        cores: rounded(cores),
        residentMiB: rounded(residentMiB),
        jitterP99Ms: rounded(jitterP99Ms),
        made: rounded(made),
        holds,
      })),
      published: PUBLISHED.map(([who, cpu, memory]) => ({ who, cpu, memory })),
      plan,
    },
    tables: [loadTable(plan.devices, names, of), stepTable(best)],
  };
}

function loadTable(
  devices: number,
  names: readonly string[],
  of: (name: string, field: keyof Run) => number,
): Table {
  const ours = names.map(name => [
    `sluice, ${name}`,
    `${of(name, 'cores')} of a core`,
    `${of(name, 'residentMiB')} MiB`,
    String(of(name, 'rate')),
    `${of(name, 'jitterP50Ms')} ms`,
    `${of(name, 'jitterP99Ms')} ms`,
  ]);
  return {
    head: [`${devices} devices, ${devices * 100} points/s`, 'cpu', 'memory', 'polls/s', 'jitter p50', 'p99'],
    rows: [...ours, ...PUBLISHED.map(row => [...row, '', '', ''])],
  };
}

function stepTable(best: Step | undefined): Table {
  const cells =
    best === undefined
      ? ['none', '', '', '', '']
      : [
          `100 registers in ${best.everyMs} ms each`,
          rounded(best.rate),
          rounded(best.rate * 100),
          `${rounded(best.cores)} of a core`,
          `${rounded(best.residentMiB)} MiB`,
        ];
  return {
    head: ['the highest rate that holds', 'polls/s', 'points/s', 'cpu', 'memory'],
    rows: [cells.map(String)],
  };
}
