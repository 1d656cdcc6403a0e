import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { answer, gone } from '../child.js';
import { prepareSluice } from '../gateway/subjects.js';
import { progress } from '../report.js';
import type { Account, FirstSeen } from './load.js';
import { stamped } from './stamped.js';
import { type Counted, SubscriberCount } from './subscriber-count.js';

/** From a version's first message to the next rename: time for the next warm spare to come up, as in real life. */
const PAUSE_MS = 200;
const WARM_MS = 1000;
/** Without swaps, for comparison. */
const CALM_MS = 10_000;

export interface Swap {
  readonly toFirstMs: number;
  /** How long what was on its way then had been: the queue that the first message stood in. */
  readonly queueMs: number;
  /** Longest pause of the outputs from the rename to the next one. */
  readonly gapMs: number;
}

export interface Phase {
  readonly swaps: readonly Swap[];
  /** What the router's log says of each swap: from the offered file to serving, ms. */
  readonly serving: readonly number[];
  /** Longest pauses in stretches as long as a swap's, without one. */
  readonly calm: readonly number[];
  readonly account: Account;
  /** By mosquitto_sub, if it was there. */
  readonly counted: Counted | undefined;
}

/** Swaps under a steady rate, each to a version of its own, in a gateway and a broker that are started for it. */
export async function phase(rate: number, swaps: number, withSubscriber: boolean): Promise<Phase> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
    running.push(broker);
    const load = fork(new URL('./load.js', import.meta.url), [String(broker.port)], { execArgv: [] });
    running.push({ stop: () => gone(load) });
    await answer(load);
    const args = await prepareSluice(folder, broker.port, { plugin: 'stamp', topics: ['in/stamp/#'] });
    await writeFile(join(folder, 'plugins', 'stamp.wasm'), stamped(0));
    const subject = new Program(process.execPath, args);
    running.push(subject);
    await broker.listens('in/stamp/');
    let count: SubscriberCount | undefined;
    if (withSubscriber) {
      count = await SubscriberCount.start(broker.port, join(folder, 'seen'));
      running.push(count);
      await broker.listens('out/in/');
    }
    load.send({ rate });
    await answer<FirstSeen>(load);
    await sleep(WARM_MS);
    const calmFrom = clock();
    await sleep(CALM_MS);
    const calmTo = clock();
    const seen = await swapAll(folder, load, swaps);
    load.send('end');
    const account = await answer<Account>(load);
    const ends = [...seen.map(({ began }) => began), clock()];
    const span = ((seen.at(-1)?.began ?? 0) - (seen[0]?.began ?? 0)) / (seen.length - 1);
    const calm: number[] = [];
    for (let at = calmFrom; at + span <= calmTo; at += span) calm.push(longestGap(account, at, at + span));
    return {
      swaps: seen.map(({ began, at, behind }, i) => ({
        toFirstMs: at - began,
        queueMs: (behind / rate) * 1000,
        gapMs: longestGap(account, began, ends[i + 1] ?? began),
      })),
      serving: [...subject.printed.matchAll(/serves \(generation \d+, (\d+) ms\)/g)]
        .slice(1)
        .map(([, ms]) => Number(ms)),
      calm,
      account,
      counted: await count?.finish(account.sent),
    };
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function swapAll(
  folder: string,
  load: ChildProcess,
  swaps: number,
): Promise<(FirstSeen & { began: number })[]> {
  const all: (FirstSeen & { began: number })[] = [];
  // A name that the folder's watcher does not look at, in the same file system.
  const fresh = join(folder, 'next');
  for (let n = 1; n <= swaps; n++) {
    if (n % 20 === 0) progress(`swap ${n} of ${swaps}`);
    await writeFile(fresh, stamped(n));
    const first = answer<FirstSeen>(load);
    const began = clock();
    await rename(fresh, join(folder, 'plugins', 'stamp.wasm'));
    const seen = await first;
    if (seen.stamp !== n) throw new Error(`version ${seen.stamp} serves where ${n} was to come`);
    all.push({ ...seen, began });
    await sleep(PAUSE_MS);
  }
  return all;
}

function longestGap({ gaps }: Account, from: number, to: number): number {
  return Math.max(0, ...gaps.filter(({ end }) => end > from && end <= to).map(({ ms }) => ms));
}

/** The clock of load.ts. */
function clock(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
