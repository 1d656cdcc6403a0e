import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mosquitto } from '../../peers/mosquitto.js';
import { answer, gone } from '../child.js';
import type { LoadTask, Saturated } from '../gateway/load.js';
import { KINDS, type Kind, startSubject } from '../gateway/subjects.js';
import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';
import type { SendTask } from './load.js';
import { startSocketSubject } from './subjects.js';

const ROUNDS = 7;
/** For warm code: the compiler of a fast subject is busy over its first hundred thousand messages. */
const WARM_ROUNDS = 16;
/**
 * What runs once for a burst is compiled after some thousand of them, which at 40 a second are minutes; a gateway runs for
 * months. So they are small while subjects get warm, but for the last eight rounds: code is made anew for large ones, and
 * with two such rounds V8's compiler still took a third of a message of ours in the first that counted.
 */
const WARM_STEP = 50;
const WARM_LARGE = 8;
/** Messages on their way: nothing is dropped anywhere, and each subject always has work. */
const WINDOW = 4000;
/** So many are written at once: a sender that is never waited for has its socket full. */
const STEP = 1000;
const WARM_MS = 300;
const MS = 1000;
const SHORT_MS = 400;
const WAYS = ['socket', 'mqtt'] as const;
type Way = (typeof WAYS)[number];

interface Round {
  /** Microseconds of processor time a message. */
  readonly cpu: number;
  readonly rate: number;
}
type Rounds = Record<Way, Record<Kind, Round[]>>;

/** Measures one subject in one way in. */
type Measure = (way: Way, kind: Kind, step: number, ms: number) => Promise<Saturated>;

/**
 * Frames over a socket (ours: the tunnel) or MQTT in, a Modbus reply to JSON, MQTT out at QoS 0: processor time a
 * message where each can do no more. All subjects run all the time; one at a time has work, in turns.
 */
export async function ingest(short: boolean): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const measure = await start(folder, running);
    const none = (): Record<Kind, Round[]> => ({ sluice: [], nodeRed: [], usual: [], best: [] });
    const rounds: Rounds = { socket: none(), mqtt: none() };
    const [warm, count, ms] = short ? [1, 1, SHORT_MS] : [WARM_ROUNDS, ROUNDS, MS];
    for (let round = 1 - warm; round <= count; round++) {
      const step = round <= -WARM_LARGE ? WARM_STEP : STEP;
      progress(round <= 0 ? 'warming up' : `round ${round} of ${count}`);
      for (const way of WAYS) {
        for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
          const { messages, seconds, cpuUs, wrong } = await measure(way, kind, step, ms);
          assert.equal(wrong, 0, `${way}, ${kind}: messages were lost, repeated or changed`);
          if (round > 0) rounds[way][kind].push({ cpu: cpuUs / messages, rate: messages / seconds });
        }
      }
    }
    return result(rounds, count);
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(folder: string, running: { stop(): Promise<void> }[]): Promise<Measure> {
  const broker = await Mosquitto.start(folder, ['allow_anonymous true', 'max_queued_messages 0']);
  running.push(broker);
  const load = async (file: string, ...more: string[]): Promise<ChildProcess> => {
    const child = fork(new URL(file, import.meta.url), [String(broker.port), ...more], { execArgv: [] });
    running.push({ stop: () => gone(child) });
    await answer(child);
    return child;
  };
  const sender = await load('./load.js');
  const publisher = await load('../gateway/load.js', 'out/in/#');
  const socket = new Map<Kind, Awaited<ReturnType<typeof startSocketSubject>>>();
  const mqtt = new Map<Kind, number>();
  const mqttFolder = join(folder, 'mqtt');
  await mkdir(mqttFolder);
  for (const kind of KINDS) {
    const subject = await startSocketSubject(kind, folder, broker.port);
    running.push(subject.program);
    socket.set(kind, subject);
    const program = await startSubject(kind, mqttFolder, broker.port);
    running.push(program);
    mqtt.set(kind, program.child.pid ?? -1);
  }
  for (const kind of KINDS) await broker.listens(`in/${kind}/`);
  return (way, kind, step, ms) => {
    const common = { window: WINDOW, step, warmMs: Math.min(WARM_MS, ms), ms };
    if (way === 'socket') {
      const { program, port, framing } = socket.get(kind)!;
      sender.send({ ...common, framing, port, pid: program.child.pid ?? -1 } satisfies SendTask);
      return answer<Saturated>(sender);
    }
    publisher.send({
      ...common,
      task: 'saturate',
      name: kind,
      pid: mqtt.get(kind) ?? -1,
    } satisfies LoadTask);
    return answer<Saturated>(publisher);
  };
}

function result(rounds: Rounds, count: number): BenchResult {
  const of = (way: Way, kind: Kind, field: keyof Round): number =>
    median(rounds[way][kind].map(each => each[field]));
  const each = (field: keyof Round): Record<Way, Record<string, number>> => {
    const row = (way: Way): Record<string, number> =>
      Object.fromEntries(KINDS.map(kind => [kind, rounded(of(way, kind, field))]));
    return { socket: row('socket'), mqtt: row('mqtt') };
  };
  const ratio = (way: Way, other: Kind): number => rounded(of(way, 'sluice', 'cpu') / of(way, other, 'cpu'));
  return {
    ratios: {
      'tunnel: cpu sluice/nodeRed': ratio('socket', 'nodeRed'),
      'tunnel: cpu sluice/usual': ratio('socket', 'usual'),
      'tunnel: cpu sluice/best (price of the sandbox)': ratio('socket', 'best'),
      'mqtt: cpu sluice/nodeRed': ratio('mqtt', 'nodeRed'),
      'mqtt: cpu sluice/usual': ratio('mqtt', 'usual'),
      'mqtt: cpu sluice/best (price of the sandbox)': ratio('mqtt', 'best'),
    },
    targets: {
      'tunnel: cpu sluice/nodeRed': { atMost: rounded(1 / 15) },
      'tunnel: cpu sluice/usual': { atMost: 1 },
      'mqtt: cpu sluice/nodeRed': { atMost: 0.125 },
    },
    figures: {
      cpuMicrosecondsPerMessage: each('cpu'),
      messagesPerSecond: each('rate'),
      rounds: Object.fromEntries(
        WAYS.map(way => [
          way,
          Object.fromEntries(KINDS.map(kind => [kind, rounds[way][kind].map(({ cpu }) => rounded(cpu))])),
        ]),
      ),
      plan: { registers: 12, qos: 0, onTheirWay: WINDOW, atOnce: STEP, rounds: count },
    },
    tables: WAYS.map(way => ({
      head: [
        way === 'socket' ? 'frames over a socket, convert, mqtt' : 'mqtt, convert, mqtt',
        'cpu a message',
        'messages/s',
      ],
      rows: KINDS.map(kind => [
        kind === 'sluice' && way === 'socket' ? 'sluice (tunnel)' : kind,
        `${of(way, kind, 'cpu').toFixed(2)} us`,
        of(way, kind, 'rate').toFixed(0),
      ]),
    })),
  };
}
