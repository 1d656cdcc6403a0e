import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mosquitto } from '../../peers/mosquitto.js';
import { GatewayProcess } from '../../support/gateway/gateway-process.js';
import { answer, gone } from '../child.js';
import { cpuOf } from '../gateway/cpu.js';
import { SubscriberCount, WITNESS } from '../reload/subscriber-count.js';
import { type BenchResult, progress } from '../report.js';
import { besideBurners } from './burners.js';
import { ATTACKS, type Attack, START_MS } from './guests.js';
import { kills } from './kills.js';
import type { LoadTask, Seen } from './load.js';
import { quantile, type Round, type Row, recoveriesOf } from './row.js';
import { p99Of, p99Ratio, verdict } from './verdict.js';
import { configuration, DROP_MS, drop, dropAll } from './wild.js';

/** Messages a second of the healthy route. */
const RATE = 5000;
const ROUNDS = 3;
/** With `--short`: one round of these. */
const SHORT: readonly string[] = ['trap', 'spin'];
/** Of each window: 15,000 messages, so that 150 of them are beyond its p99. */
const WINDOW_MS = 3000;
const WARM_MS = 1000;
/** Windows of bursts, where recoveries are judged: what runs once a burst is compiled after 500 of them. */
const WARM_WINDOWS = 5;
/** What an attack set off is over by then. */
const SETTLE_MS = 500;

/** Every guest that attacks, each beside a healthy route on one gateway. */
export async function attack(only: readonly string[], short: boolean): Promise<BenchResult> {
  const rows: Row[] = [];
  const wanted = short && only.length === 0 ? SHORT : only;
  for (const each of ATTACKS) {
    if (wanted.length > 0 && !wanted.includes(each.guest)) continue;
    const row = await besides(each, short ? 1 : ROUNDS);
    rows.push(row);
    const [p99, beside] = [p99Of(row, 'attacked'), p99Of(row, 'burdened')];
    const recovery = quantile(recoveriesOf(row), 0.99);
    progress(
      `${each.guest}: p99 ${p99.toFixed(1)} ms, ${beside.toFixed(1)} beside a burner, ratio ${p99Ratio(row, 'burdened').toFixed(2)}; recovery ${recovery.toFixed(1)} ms, exit ${row.exit}`,
    );
  }
  return verdict(rows, await kills(short));
}

type Run = (bursts: LoadTask['bursts']) => Promise<{ readonly seen: Seen; readonly processors: number }>;

async function besides(each: Attack, most: number): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 100000']);
  const gateway = await GatewayProcess.prepare(folder, configuration(broker.port, each), 'echo');
  const plugins = join(folder, 'plugins');
  await drop(plugins, each.isCandidate ? { ...each, guest: 'echo' } : each, 0);
  let load: ChildProcess | undefined;
  let witness: SubscriberCount | undefined;
  let sent = 0;
  try {
    await gateway.start();
    load = fork(new URL('./load.js', import.meta.url), [String(broker.port)], { execArgv: [] });
    await answer<string>(load);
    await broker.subscribed('floor');
    await broker.subscribed('wild');
    // In all windows alike.
    witness = await SubscriberCount.start(broker.port, join(folder, 'seen'), 'out/in/good/#');
    await broker.subscribed(WITNESS);
    const run = async (bursts: LoadTask['bursts'], ms = WINDOW_MS): ReturnType<Run> => {
      const [before, began] = [cpuOf(gateway.pid), performance.now()];
      load?.send({ rate: RATE, ms, bursts } satisfies LoadTask);
      const seen = await answer<Seen>(load as ChildProcess);
      sent += seen.sent;
      return { seen, processors: (cpuOf(gateway.pid) - before) / 1000 / (performance.now() - began) };
    };
    await run('none', WARM_MS);
    // The compiler's own threads would stand in front of the first recoveries.
    for (let i = 0; each.isJudged && most > 1 && i < WARM_WINDOWS; i++) await run('poisoned');
    const rounds: Round[] = [];
    let patch = 1;
    for (let round = 0; round < most; round++) {
      const calm = await run('none');
      const dropping = new AbortController();
      const candidates = each.isCandidate ? dropAll(plugins, each, patch, dropping.signal) : undefined;
      const attacked = await run(each.isCandidate ? 'none' : 'poisoned');
      dropping.abort();
      patch = (await candidates) ?? patch;
      await sleep(SETTLE_MS);
      const processors = Math.max(0, attacked.processors - calm.processors);
      const burdened = await besideBurners(processors, periodOf(each, attacked.seen), () => run('none'));
      const unpoisoned = each.isJudged ? await run('good') : undefined;
      rounds.push({
        calm: calm.seen,
        attacked: attacked.seen,
        burdened: burdened.seen,
        unpoisoned: unpoisoned?.seen,
        processors,
      });
    }
    const told = each.codes.length === 0 || each.codes.some(code => gateway.log.includes(code));
    const counted = await witness.finish(sent, 0);
    return { attack: each, rounds, counted, exit: await gateway.stop(), told };
  } finally {
    if (load !== undefined) await gone(load);
    await witness?.stop();
    await gateway.kill();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** An attack takes the processor in one piece, and so does the burner. */
function periodOf({ isCandidate }: Attack, { recoveries }: Seen): number {
  return isCandidate ? Math.max(DROP_MS, START_MS) : WINDOW_MS / Math.max(recoveries.length, 1);
}
