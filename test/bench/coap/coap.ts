import { type ChildProcess, fork } from 'node:child_process';
import { answer, gone } from '../child.js';
import { cpuOf } from '../gateway/cpu.js';
import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';
import type { LoadOrder, LoadReport } from './load.js';

const SERVERS = { sluice: './sluice-server.js', npm: './npm-server.js' } as const;
type Kind = keyof typeof SERVERS;
const KINDS = Object.keys(SERVERS) as Kind[];

const ROUNDS = 5;
const SHORT = 20;
const WARM_UP = 30_000;
const REQUESTS = { sluice: 60_000, npm: 20_000 } as const;
/** Over so many requests the memory of the server is looked at, in parts. */
const LONG_RUN = 1_000_000;
const PARTS = 10;
const MIB = 2 ** 20;

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

/** Microseconds of processor time a request, all threads of the server's process and the kernel's work for it. */
async function round(load: ChildProcess, { child, port }: Server, count: number): Promise<number> {
  const before = cpuOf(child.pid!);
  const { answered, wrong } = await ask(load, { port, count });
  if (wrong > 0 || answered !== count) throw new Error(`${answered} of ${count} right, ${wrong} wrong`);
  return (cpuOf(child.pid!) - before) / count;
}

function ask(load: ChildProcess, order: LoadOrder): Promise<LoadReport> {
  load.send(order);
  return answer<LoadReport>(load);
}

async function rssOf({ child }: Server): Promise<number> {
  child.send('rss');
  return answer<number>(child);
}

/** POST of a small payload, answered with 2.04 in its acknowledgement: ours and npm coap's, in turns. */
export async function coap(short: boolean): Promise<BenchResult> {
  const part = (count: number): number => (short ? count / SHORT : count);
  const rounds = short ? 1 : ROUNDS;
  const load = fork(new URL('./load.js', import.meta.url), { execArgv: [] });
  await answer(load);
  const servers = new Map<Kind, Server>();
  const cpu: Record<Kind, number[]> = { sluice: [], npm: [] };
  try {
    for (const kind of KINDS) {
      const child = fork(new URL(SERVERS[kind], import.meta.url), { execArgv: [] });
      servers.set(kind, { child, port: await answer<number>(child) });
      await round(load, servers.get(kind)!, part(WARM_UP));
    }
    for (let n = 0; n < rounds; n++) {
      progress(`coap: round ${n + 1} of ${rounds}`);
      for (const kind of KINDS) cpu[kind].push(await round(load, servers.get(kind)!, part(REQUESTS[kind])));
    }
    const memory: number[] = [];
    for (let n = 0; n < PARTS; n++) {
      progress(`coap: part ${n + 1} of ${PARTS} of the long run`);
      await round(load, servers.get('sluice')!, part(LONG_RUN / PARTS));
      memory.push((await rssOf(servers.get('sluice')!)) / MIB);
    }
    return result(cpu, memory);
  } finally {
    await Promise.all([load, ...[...servers.values()].map(({ child }) => child)].map(gone));
  }
}

function result(cpu: Record<Kind, number[]>, memory: readonly number[]): BenchResult {
  const perSecond = (kind: Kind): number => rounded(1_000_000 / median(cpu[kind]));
  const half = PARTS / 2;
  const early = median(memory.slice(0, half));
  const late = median(memory.slice(half));
  const figures = {
    requestsPerCpuSecond: { sluice: perSecond('sluice'), npm: perSecond('npm') },
    cpuMicroseconds: { sluice: rounded(median(cpu.sluice)), npm: rounded(median(cpu.npm)) },
    rssMiB: memory.map(rounded),
  };
  return {
    ratios: {
      requestsOverNpm: rounded(perSecond('sluice') / perSecond('npm')),
      rssLateOverEarly: rounded(late / early),
    },
    targets: { requestsOverNpm: { atLeast: 3 }, rssLateOverEarly: { atMost: 1.05 } },
    figures,
    tables: [
      {
        head: ['server', 'requests per CPU second', 'us a request'],
        rows: KINDS.map(kind => [kind, String(perSecond(kind)), String(rounded(median(cpu[kind])))]),
      },
    ],
  };
}
