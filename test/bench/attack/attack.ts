import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendManifest, readManifest } from '../../../runtime/index.js';
import { Mosquitto } from '../../peers/mosquitto.js';
import { GatewayProcess } from '../../support/gateway-process.js';
import { guestFile } from '../../support/gateway-rig.js';
import { answer, gone } from '../child.js';
import { cpuOf } from '../gateway/cpu.js';
import { type BenchResult, progress } from '../report.js';
import { rounded } from '../stats.js';
import { ATTACKS, type Attack, DEADLINE_MS, START_MS } from './guests.js';
import { kills } from './kills.js';
import type { LoadTask, Seen } from './load.js';

/** Messages a second of the healthy route. */
const RATE = 5000;
const CALM_MS = 2000;
const ATTACK_MS = 4000;
const WARM_MS = 1000;
/** Between two candidates. */
const DROP_MS = 400;
interface Row {
  readonly attack: Attack;
  readonly attacked: Seen;
  /** Beside a burner that takes as much processor as the attack did. */
  readonly burdened: Seen;
  /** Beside nothing. */
  readonly calm: Seen;
  /** Processors that the attack took. */
  readonly share: number;
  readonly exit: number | string;
  readonly told: boolean;
}

/** Every guest that attacks, each beside a healthy route on one gateway. */
export async function attack(only: readonly string[]): Promise<BenchResult> {
  const rows: Row[] = [];
  for (const each of ATTACKS) {
    if (only.length > 0 && !only.includes(each.guest)) continue;
    const row = await besides(each);
    rows.push(row);
    const { attacked, burdened } = row;
    progress(
      `${each.guest}: p99 ${ms(attacked.p99Ms)} of ${ms(burdened.p99Ms)} beside a burner, ${attacked.lost} lost, recovery ${ms(quantile(attacked.recoveries, 0.99))}, exit ${row.exit}`,
    );
  }
  return result(rows, await kills());
}

function result(rows: readonly Row[], killed: readonly number[]): BenchResult {
  const worst = (of: (row: Row) => number): number => rounded(Math.max(...rows.map(of)));
  const traps = rows.filter(({ attack: { isJudged } }) => isJudged);
  const trap = Math.max(0, ...traps.map(row => quantile(row.attacked.recoveries, 0.99)));
  return {
    ratios: {
      throughput: rounded(Math.min(...rows.map(row => row.attacked.perSecond / row.burdened.perSecond))),
      p99: worst(row => row.attacked.p99Ms / row.burdened.p99Ms),
      lost: rows.reduce((sum, { attacked }) => sum + attacked.lost, 0),
      'trap to next good message, ms': rounded(trap),
      'a kill beyond its deadline, ms': rounded(quantile(killed, 0.99)),
      'host exits': rows.filter(({ exit }) => exit !== 0).length,
      'attacks not told of': rows.filter(({ told }) => !told).length,
    },
    targets: {
      throughput: { atLeast: 0.95 },
      p99: { atMost: 2 },
      lost: { atMost: 0 },
      'trap to next good message, ms': { atMost: 10 },
      'a kill beyond its deadline, ms': { atMost: 20 },
      'host exits': { atMost: 0 },
      'attacks not told of': { atMost: 0 },
    },
    figures: {
      rate: RATE,
      killBeyondDeadlineMs: { p50: rounded(quantile(killed, 0.5)), p99: rounded(quantile(killed, 0.99)) },
      guests: Object.fromEntries(rows.map(row => [row.attack.guest, figuresOf(row)])),
    },
    tables: [
      {
        head: ['guest', 'p99', 'beside a burner', 'alone', 'attacks', 'recovery p50', 'p99'],
        rows: rows.map(({ attack: { guest }, attacked, burdened, calm }) => [
          guest,
          ms(attacked.p99Ms),
          ms(burdened.p99Ms),
          ms(calm.p99Ms),
          String(attacked.recoveries.length),
          ms(quantile(attacked.recoveries, 0.5)),
          ms(quantile(attacked.recoveries, 0.99)),
        ]),
      },
    ],
  };
}

function figuresOf({ attacked, burdened, calm, share, told }: Row): Record<string, number | boolean> {
  return {
    p99Ms: rounded(attacked.p99Ms),
    p99BesideBurnerMs: rounded(burdened.p99Ms),
    p99AloneMs: rounded(calm.p99Ms),
    throughputToAlone: rounded(attacked.perSecond / calm.perSecond),
    p99ToAlone: rounded(attacked.p99Ms / calm.p99Ms),
    attacks: attacked.recoveries.length,
    recoveryP50Ms: rounded(quantile(attacked.recoveries, 0.5)),
    recoveryP99Ms: rounded(quantile(attacked.recoveries, 0.99)),
    processors: rounded(share),
    told,
  };
}

async function besides(each: Attack): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 100000']);
  const gateway = await GatewayProcess.prepare(folder, configuration(broker.port, each), 'echo');
  const plugins = join(folder, 'plugins');
  await drop(plugins, each.isCandidate ? { ...each, guest: 'echo' } : each, 0);
  let load: ChildProcess | undefined;
  try {
    await gateway.start();
    load = fork(new URL('./load.js', import.meta.url), [String(broker.port)], { execArgv: [] });
    await answer<string>(load);
    await broker.subscribed('floor');
    await broker.subscribed('wild');
    const run = async (task: Omit<LoadTask, 'rate'>): Promise<{ seen: Seen; processors: number }> => {
      const [before, began] = [cpuOf(gateway.pid), performance.now()];
      load?.send({ rate: RATE, ...task } satisfies LoadTask);
      const seen = await answer<Seen>(load as ChildProcess);
      return { seen, processors: (cpuOf(gateway.pid) - before) / 1000 / (performance.now() - began) };
    };
    await run({ ms: WARM_MS, attacks: false });
    const calm = await run({ ms: CALM_MS, attacks: false });
    const dropping = new AbortController();
    const candidates = each.isCandidate ? dropAll(plugins, each, dropping.signal) : undefined;
    const attacked = await run({ ms: ATTACK_MS, attacks: !each.isCandidate });
    dropping.abort();
    await candidates;
    const share = Math.max(0, attacked.processors - calm.processors);
    await sleep(1000);
    const burdened = await besideBurner(share, periodOf(each, attacked.seen), () =>
      run({ ms: CALM_MS, attacks: false }),
    );
    const told = each.codes.length === 0 || each.codes.some(code => gateway.log.includes(code));
    const exit = await gateway.stop();
    return {
      attack: each,
      attacked: attacked.seen,
      burdened: burdened.seen,
      calm: calm.seen,
      share,
      exit,
      told,
    };
  } finally {
    if (load !== undefined) await gone(load);
    await gateway.kill();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function configuration(
  port: number,
  { deadlineMs = DEADLINE_MS, memory = '16MiB' }: Attack,
): Record<string, unknown> {
  const url = `mqtt://127.0.0.1:${port}`;
  const source = (clientId: string, topic: string) => ({
    mqtt: { url, clientId, topics: [topic], version: 4, qos: 0 },
  });
  return {
    plugins: {
      dir: './plugins',
      deadline: `${deadlineMs}ms`,
      memory,
      startDeadline: `${Math.max(START_MS, deadlineMs)}ms`,
    },
    sources: { floor: source('floor', 'in/good/#'), wild: source('wild', 'in/bad/#') },
    sinks: { plant: { mqtt: { url, prefix: 'out/', version: 4, qos: 0 } } },
    routes: [
      { from: 'floor', through: ['echo'], to: 'plant' },
      {
        from: 'wild',
        through: [{ plugin: 'wild', ...(deadlineMs > DEADLINE_MS ? {} : { config: { ms: 20 } }) }],
        to: 'plant',
      },
    ],
  };
}

/** Under the name that the route asks for. */
async function drop(plugins: string, { guest, limits }: Attack, patch: number): Promise<void> {
  const bytes = await readFile(guestFile(guest));
  const found = readManifest(bytes);
  if (found === undefined) throw new Error(`${guest} carries no manifest`);
  const { sha256: _, ...manifest } = found.manifest;
  const code = bytes.subarray(0, found.end);
  const fields = {
    ...manifest,
    name: 'wild',
    version: `1.0.${patch}`,
    limits: { ...manifest.limits, ...limits },
  };
  const file = appendManifest(code, fields, createHash('sha256').update(code).digest('hex'));
  await writeFile(join(plugins, '.next'), file);
  await rename(join(plugins, '.next'), join(plugins, 'wild.wasm'));
}

async function dropAll(plugins: string, each: Attack, signal: AbortSignal): Promise<void> {
  for (let patch = 1; !signal.aborted; patch++) {
    await drop(plugins, each, patch);
    await sleep(DROP_MS);
  }
}

/** An attack takes the processor in one piece, and so does the burner. */
function periodOf({ isCandidate }: Attack, { recoveries }: Seen): number {
  return isCandidate ? Math.max(DROP_MS, START_MS) : ATTACK_MS / Math.max(recoveries.length, 1);
}

async function besideBurner<T>(share: number, period: number, run: () => Promise<T>): Promise<T> {
  const burner = fork(new URL('./burner.js', import.meta.url), [String(share), String(period)], {
    execArgv: [],
  });
  try {
    return await run();
  } finally {
    await gone(burner);
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
