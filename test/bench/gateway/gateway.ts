import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mosquitto } from '../../peers/mosquitto.js';
import type { Program } from '../../peers/program.js';
import { answer, gone } from '../child.js';
import { type BenchResult, progress } from '../report.js';
import { median, quantile, rounded } from '../stats.js';
import type { LoadTask, Paced, Saturated } from './load.js';
import { KINDS, type Kind, startSubject } from './subjects.js';

const ROUNDS = 5;
/**
 * For warm code: what is called once a message is compiled again and again over its first ten thousands, by threads that
 * keep a core for milliseconds, and then it is the compiler that a 99th percentile shows.
 */
const WARM_ROUNDS = 3;
const WINDOW = 1000;
const WARM_MS = 500;
const SATURATE_MS = 1000;
/** 3,000 messages a round: the 99th percentile of a round is its 30th slowest. */
const PACE_TURNS = 3;
/** In turns of a second, so that what else the machine does for a while falls on all alike. */
const PACE_MS = 1000;
/** At 1,000/s a turn of the event loop is a message, and what is called once a turn is called 1,000 times a second and no more. */
const WARM_PACE_TURNS = 8;
const RATE = 1000;

interface Round {
  readonly cpu: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * MQTT in, a Modbus reply to JSON, MQTT out, at QoS 0: processor time a message where each can do no more, and
 * latency at 1,000 messages a second. All subjects run all the time; one at a time has work, in turns.
 */
export async function gateway(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
    running.push(broker);
    const load = fork(new URL('./load.js', import.meta.url), [String(broker.port)], { execArgv: [] });
    running.push({ stop: () => gone(load) });
    await answer(load);
    const subjects = new Map<Kind, Program>();
    for (const kind of KINDS) {
      const subject = await startSubject(kind, folder, broker.port);
      subjects.set(kind, subject);
      running.push(subject);
    }
    for (const kind of KINDS) await broker.listens(`in/${kind}/`);
    const rounds: Record<Kind, Round[]> = { sluice: [], nodeRed: [], usual: [], best: [] };
    for (let round = 1 - WARM_ROUNDS; round <= ROUNDS; round++) {
      progress(round <= 0 ? 'warming up' : `round ${round} of ${ROUNDS}`);
      const figures = await measure(load, round, subjects);
      if (round > 0) for (const kind of KINDS) rounds[kind].push(figures[kind]);
    }
    return result(rounds);
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  load: ChildProcess,
  round: number,
  subjects: ReadonlyMap<Kind, Program>,
): Promise<Record<Kind, Round>> {
  const tell = <T>(task: LoadTask): Promise<T> => {
    load.send(task);
    return answer<T>(load);
  };
  const inTurn = (turn: number): readonly Kind[] => (turn % 2 === 0 ? KINDS : KINDS.toReversed());
  const full = new Map<Kind, Saturated>();
  for (const name of inTurn(round)) {
    const pid = subjects.get(name)?.child.pid ?? -1;
    full.set(
      name,
      await tell<Saturated>({
        task: 'saturate',
        name,
        pid,
        window: WINDOW,
        warmMs: WARM_MS,
        ms: SATURATE_MS,
      }),
    );
    assert.equal(full.get(name)?.wrong, 0, `${name}: messages were lost, repeated or changed`);
  }
  const latencies: Record<Kind, number[]> = { sluice: [], nodeRed: [], usual: [], best: [] };
  const turns = round > 0 ? PACE_TURNS : WARM_PACE_TURNS;
  for (let turn = 0; turn < turns; turn++) {
    for (const name of inTurn(round + turn)) {
      const paced = await tell<Paced>({ task: 'pace', name, rate: RATE, ms: PACE_MS });
      assert.deepEqual(
        [paced.missing, paced.wrong],
        [0, 0],
        `${name}: messages were lost, repeated or changed`,
      );
      latencies[name].push(...paced.latencies);
    }
  }
  const of = (kind: Kind): Round => {
    const { cpuUs, messages, seconds } = full.get(kind) as Saturated;
    return {
      cpu: cpuUs / messages,
      rate: messages / seconds,
      p50: quantile(latencies[kind], 0.5),
      p99: quantile(latencies[kind], 0.99),
    };
  };
  return { sluice: of('sluice'), nodeRed: of('nodeRed'), usual: of('usual'), best: of('best') };
}

function result(rounds: Readonly<Record<Kind, readonly Round[]>>): BenchResult {
  const of = (kind: Kind, field: keyof Round): number => median(rounds[kind].map(each => each[field]));
  const each = (field: keyof Round): Record<string, number> =>
    Object.fromEntries(KINDS.map(kind => [kind, rounded(of(kind, field))]));
  // Of each round by itself: what else the machine did in that half minute fell on both.
  const ratio = (field: keyof Round, other: Kind): number =>
    rounded(median(rounds.sluice.map((own, i) => own[field] / (rounds[other][i]?.[field] ?? Number.NaN))));
  return {
    ratios: {
      'cpu sluice/nodeRed': ratio('cpu', 'nodeRed'),
      'cpu sluice/usual': ratio('cpu', 'usual'),
      'cpu sluice/best (price of the sandbox)': ratio('cpu', 'best'),
      'p99 sluice/nodeRed': ratio('p99', 'nodeRed'),
    },
    targets: {
      'cpu sluice/nodeRed': { atMost: 0.25 },
      'cpu sluice/usual': { atMost: 1 },
      'p99 sluice/nodeRed': { atMost: 0.5 },
    },
    figures: {
      cpuMicrosecondsPerMessage: each('cpu'),
      messagesPerSecond: each('rate'),
      p50Ms: each('p50'),
      p99Ms: each('p99'),
      rounds: Object.fromEntries(
        KINDS.map(kind => [kind, rounds[kind].map(({ cpu, p99 }) => [rounded(cpu), rounded(p99)])]),
      ),
      plan: { registers: 12, qos: 0, onTheirWay: WINDOW, latencyAtPerSecond: RATE, rounds: ROUNDS },
    },
    tables: [
      {
        head: ['mqtt, convert, mqtt', 'cpu a message', 'messages/s', 'p50 at 1,000/s', 'p99'],
        rows: KINDS.map(kind => [
          kind,
          `${of(kind, 'cpu').toFixed(2)} us`,
          of(kind, 'rate').toFixed(0),
          `${of(kind, 'p50').toFixed(2)} ms`,
          `${of(kind, 'p99').toFixed(2)} ms`,
        ]),
      },
    ],
  };
}
