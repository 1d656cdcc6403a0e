import { fork } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { answer, gone } from '../child.js';
import { prepareSluice } from '../gateway/subjects.js';
import { type BenchResult, progress } from '../report.js';
import { rounded } from '../stats.js';
import type { Account, FirstSeen } from './load.js';
import { stamped } from './stamped.js';
import { SubscriberCount } from './subscriber-count.js';

const SWAPS = 100;
const RATE = 20_000;
/** From a version's first message to the next rename: time for the next warm spare to come up, as in real life. */
const PAUSE_MS = 200;
const WARM_MS = 1000;
const P95_MS = 23;

interface Swap {
  /** Of the rename, process.hrtime milliseconds. */
  readonly began: number;
  readonly toFirstMs: number;
}

/**
 * 100 swaps under 20,000 frames a second, from MQTT to MQTT at QoS 0: time from the rename of a file to the first
 * message of its version, longest pause of the outputs at each swap, and every frame counted.
 */
export async function reload(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
    running.push(broker);
    const load = fork(new URL('./load.js', import.meta.url), [String(broker.port)], { execArgv: [] });
    running.push({ stop: () => gone(load) });
    await answer(load);
    const args = await prepareSluice(folder, broker.port, { plugin: 'stamp', topics: ['in/stamp/#'] });
    const file = join(folder, 'plugins', 'stamp.wasm');
    await writeFile(file, stamped(0));
    const subject = new Program(process.execPath, args);
    running.push(subject);
    await broker.listens('in/stamp/');
    const count = await SubscriberCount.start(broker.port, join(folder, 'seen'));
    running.push(count);
    await broker.listens('out/in/');

    load.send({ rate: RATE });
    await answer<FirstSeen>(load);
    await sleep(WARM_MS);
    const calmFrom = clock();
    await sleep(WARM_MS);
    const calmTo = clock();
    const swaps: Swap[] = [];
    for (let n = 1; n <= SWAPS; n++) {
      if (n % 20 === 0) progress(`swap ${n} of ${SWAPS}`);
      // A name that the folder's watcher does not look at, in the same file system.
      const fresh = join(folder, 'next');
      await writeFile(fresh, stamped(n));
      const first = answer<FirstSeen>(load);
      const began = clock();
      await rename(fresh, file);
      const { stamp, at } = await first;
      if (stamp !== n) throw new Error(`version ${stamp} serves where ${n} was to come`);
      swaps.push({ began, toFirstMs: at - began });
      await sleep(PAUSE_MS);
    }
    load.send('end');
    const account = await answer<Account>(load);
    const said = [...subject.printed.matchAll(/serves \(generation \d+, (\d+) ms\)/g)];
    const serving = said.slice(1).map(([, ms]) => Number(ms));
    return result(swaps, serving, account, await count.finish(account.sent), [calmFrom, calmTo]);
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The clock of load.ts. */
function clock(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

interface Counted {
  readonly lost: number;
  readonly duplicated: number;
}

function result(
  swaps: readonly Swap[],
  serving: readonly number[],
  account: Account,
  counted: Counted,
  [calmFrom, calmTo]: readonly [number, number],
): BenchResult {
  const longest = (from: number, to: number): number =>
    Math.max(0, ...account.gaps.filter(({ end }) => end > from && end <= to).map(({ ms }) => ms));
  const gaps = swaps.map(({ began }, i) => longest(began, swaps[i + 1]?.began ?? began + 2 * PAUSE_MS));
  // As long as the time between two swaps, without any.
  const span = ((swaps.at(-1)?.began ?? 0) - (swaps[0]?.began ?? 0)) / (swaps.length - 1);
  const calm: number[] = [];
  for (let at = calmFrom; at + span <= calmTo; at += span) calm.push(longest(at, at + span));
  const times = swaps.map(({ toFirstMs }) => toFirstMs);
  const figures = {
    'rename to first message p50 (ms)': at(times, 0.5),
    'rename to first message p95 (ms)': at(times, 0.95),
    'of that in the router, by its log, p50 (ms)': at(serving, 0.5),
    'of that in the router, by its log, p95 (ms)': at(serving, 0.95),
    'gap p50 (ms)': at(gaps, 0.5),
    'gap p99 (ms)': at(gaps, 0.99),
    'longest pause without a swap, median (ms)': at(calm, 0.5),
    'longest pause without a swap, worst (ms)': at(calm, 1),
  };
  const ratios = {
    'p95 ms': figures['rename to first message p95 (ms)'],
    lost: Math.max(account.lost, counted.lost),
    duplicated: Math.max(account.duplicated, counted.duplicated),
  };
  return {
    ratios,
    targets: { 'p95 ms': { atMost: P95_MS }, lost: { atMost: 0 }, duplicated: { atMost: 0 } },
    figures: {
      ...figures,
      frames: account.sent,
      rawWitness: { lost: account.lost, duplicated: account.duplicated },
      mosquittoSub: counted,
      toFirstMs: times.map(rounded),
      gapMs: gaps.map(rounded),
      plan: { swaps: SWAPS, framesPerSecond: RATE, qos: 0, pauseMs: PAUSE_MS },
    },
    tables: [
      {
        head: [`${SWAPS} swaps at ${RATE} frames/s`, ''],
        rows: Object.entries(figures).map(([name, value]) => [name, String(value)]),
      },
    ],
  };
}

/** @param share 0 to 1 */
function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN);
}
