import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { Program } from '../../peers/program.js';
import { unusedPort } from '../../support/devices/plc.js';
import { answer, gone } from '../child.js';
import { cpuOfOne } from '../gateway/cpu.js';
import { prepareGateway } from '../gateway/subjects.js';
import { progress } from '../report.js';
import type { Account, FirstSeen } from './load.js';
import { stamped } from './stamped.js';
import { type Counted, SubscriberCount } from './subscriber-count.js';

/** A swap and what it leaves behind, the next warm spare among it, is over in this time. */
const WINDOW_MS = 200;
const WARM_MS = 2000;

export interface Swap {
  readonly toFirstMs: number;
  /** How long what was on its way then had been: the queue that the first message stood in. */
  readonly queueMs: number;
  readonly window: Window;
  /** As long, right behind it: the same file is written, and renamed where nobody looks. */
  readonly still: Window;
}

/** What happened in a stretch of time. */
export interface Window {
  /** Longest pause of the outputs, milliseconds. */
  readonly gapMs: number;
  /** Processor time of the gateway, milliseconds. */
  readonly cpuMs: number;
}

export interface Phase {
  readonly swaps: readonly Swap[];
  /** What the router's log says of each swap: from the offered file to serving, ms. */
  readonly serving: readonly number[];
  readonly account: Account;
  /** By mosquitto_sub, if it was there. */
  readonly counted: Counted | undefined;
}

/** A stretch of time, by the clock of load.ts, and the processor time that the gateway took in it, milliseconds. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly cpuMs: number;
}

interface Seen extends FirstSeen {
  readonly span: Span;
  readonly still: Span;
}

/** Swaps under a steady rate, each to a version of its own, in a gateway and a broker that are started for it. */
export async function phase(rate: number, swaps: number, withSubscriber: boolean): Promise<Phase> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
    running.push(broker);
    const port = await unusedPort();
    const load = fork(new URL('./load.js', import.meta.url), { execArgv: [] });
    running.push({ stop: () => gone(load) });
    const witness = await answer<number>(load);
    const source = { tunnel: { host: '127.0.0.1', port, window: 8192 } };
    const options = { plugin: 'stamp', source, prefix: 'out/', witness };
    const args = await prepareGateway(folder, broker.port, options);
    await writeFile(join(folder, 'plugins', 'stamp.wasm'), stamped(0));
    const subject = new Program(process.execPath, args);
    running.push(subject);
    await subject.said(/sluice runs/);
    let count: SubscriberCount | undefined;
    if (withSubscriber) {
      count = await SubscriberCount.start(broker.port, join(folder, 'seen'));
      running.push(count);
      await broker.listens('out/in/');
    }
    load.send({ rate, port });
    await answer<FirstSeen>(load);
    await sleep(WARM_MS);
    const seen = await swapAll(folder, load, swaps, subject.child.pid ?? 0);
    load.send('end');
    const account = await answer<Account>(load);
    const window = ({ from, to, cpuMs }: Span): Window => ({ gapMs: longestGap(account, from, to), cpuMs });
    return {
      swaps: seen.map(({ span, still, at, behind }) => ({
        toFirstMs: at - span.from,
        queueMs: (behind / rate) * 1000,
        window: window(span),
        still: window(still),
      })),
      serving: [...subject.printed.matchAll(/serves \(generation \d+, (\d+) ms\)/g)]
        .slice(1)
        .map(([, ms]) => Number(ms)),
      account,
      counted: await count?.finish(account.sent),
    };
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Stretches with a swap and without one by turns, as long as each other: what the machine and its other tenants do
 * meanwhile is in both.
 */
async function swapAll(folder: string, load: ChildProcess, swaps: number, pid: number): Promise<Seen[]> {
  const all: Seen[] = [];
  // Names that the folder's watcher does not look at, in the same file system.
  const fresh = join(folder, 'next');
  const aside = join(folder, 'aside');
  for (let n = 1; n <= swaps; n++) {
    if (n % 50 === 0) progress(`swap ${n} of ${swaps}`);
    let seen: FirstSeen | undefined;
    await writeFile(fresh, stamped(n));
    const span = await spanOf(pid, async () => {
      const first = answer<FirstSeen>(load);
      await rename(fresh, join(folder, 'plugins', 'stamp.wasm'));
      seen = await first;
    });
    if (seen?.stamp !== n) throw new Error(`version ${seen?.stamp} serves where ${n} was to come`);
    await writeFile(fresh, stamped(n));
    const still = await spanOf(pid, () => rename(fresh, aside), span.to - span.from);
    all.push({ ...seen, span, still });
  }
  return all;
}

async function spanOf(pid: number, work: () => Promise<unknown>, ms = WINDOW_MS): Promise<Span> {
  const [from, before] = [clock(), cpuOfOne(pid)];
  await work();
  await sleep(Math.max(0, from + ms - clock()));
  return { from, to: clock(), cpuMs: (cpuOfOne(pid) - before) / 1000 };
}

function longestGap({ gaps }: Account, from: number, to: number): number {
  return Math.max(0, ...gaps.filter(({ end }) => end > from && end <= to).map(({ ms }) => ms));
}

/** The clock of load.ts. */
function clock(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
