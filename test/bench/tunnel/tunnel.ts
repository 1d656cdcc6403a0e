import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { answer, gone } from '../child.js';
import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';
import { FRAME, type Kind, WINDOW } from './frames.js';
import type { Parsed } from './parse.js';
import type { SendTask } from './sender.js';
import type { Served } from './server.js';

const ROUNDS = 5;
const MS = 600;
const SHORT_MS = 60;
const KINDS: readonly Kind[] = ['tunnel', 'prefix'];
const WRITES = [1, 256] as const;
const PLACES = ['parser', 'socket'] as const;
type Place = (typeof PLACES)[number];

/** Frames for a second of processor time, by kind. */
type Figures = Record<Kind, number[]>;

/**
 * The tunnel's frames of 64 bytes (with check, sequence and acknowledgement) against the barest scanner of frames behind
 * a length: the parsers alone, and from a socket into a slab. By processor time of the receiving process.
 */
export async function tunnel(short: boolean): Promise<BenchResult> {
  const [rounds, ms] = short ? [1, SHORT_MS] : [ROUNDS, MS];
  const children: ChildProcess[] = [];
  const child = async <T>(file: string, ...args: string[]): Promise<[ChildProcess, T]> => {
    const process = fork(new URL(file, import.meta.url), args, { execArgv: [] });
    children.push(process);
    return [process, await answer<T>(process)];
  };
  try {
    const [sender] = await child('./sender.js');
    const ends = new Map<Kind, { parser: ChildProcess; server: ChildProcess; port: number }>();
    for (const kind of KINDS) {
      const [parser] = await child('./parse.js', kind);
      const [server, port] = await child<number>('./server.js', kind);
      ends.set(kind, { parser, server, port });
    }
    const figures = new Map<string, Figures>();
    for (let round = 0; round <= rounds; round++) {
      progress(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
      for (const place of PLACES) {
        for (const perWrite of WRITES) {
          for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
            const { parser, server, port } = ends.get(kind)!;
            const perSecond =
              place === 'parser'
                ? await parse(parser, perWrite, ms)
                : await receive(sender, server, { kind, port, perWrite, ms });
            if (round === 0) continue;
            const name = nameOf(place, perWrite);
            const of = figures.get(name) ?? { tunnel: [], prefix: [] };
            figures.set(name, of);
            of[kind].push(perSecond);
          }
        }
      }
    }
    return result(figures, rounds);
  } finally {
    for (const each of children.toReversed()) await gone(each);
  }
}

async function parse(child: ChildProcess, perWrite: number, ms: number): Promise<number> {
  child.send({ perWrite, ms });
  const { frames, cpuUs } = await answer<Parsed>(child);
  return (frames / cpuUs) * 1e6;
}

async function receive(sender: ChildProcess, server: ChildProcess, task: SendTask): Promise<number> {
  const look = (): Promise<Served> => {
    server.send('look');
    return answer<Served>(server);
  };
  const before = await look();
  sender.send(task);
  const sent = await answer<number>(sender);
  const after = await look();
  assert.equal(after.frames, sent, `${task.kind}: frames were lost or repeated`);
  return ((after.frames - before.frames) / (after.cpuUs - before.cpuUs)) * 1e6;
}

function nameOf(place: Place, perWrite: number): string {
  const where = place === 'parser' ? 'parser' : 'socket to slab';
  return `${where}, ${perWrite === 1 ? '1 frame' : `${perWrite} frames`} a write`;
}

function result(figures: ReadonlyMap<string, Figures>, rounds: number): BenchResult {
  const of = [...figures].map(([name, { tunnel: ours, prefix }]) => {
    const [own, bare] = [median(ours), median(prefix)];
    return { name, own: rounded(own), bare: rounded(bare), share: rounded(own / bare) };
  });
  return {
    ratios: Object.fromEntries(of.map(({ name, share }) => [`${name}: tunnel/bare scanner`, share])),
    targets: {},
    figures: {
      framesPerCpuSecond: Object.fromEntries(of.map(({ name, own, bare }) => [name, { tunnel: own, bare }])),
      plan: { bytes: FRAME, window: WINDOW, rounds },
    },
    tables: [
      {
        head: ['frames of 64 bytes for a second of cpu', 'tunnel', 'bare scanner', 'share'],
        rows: of.map(({ name, own, bare, share }) => [name, own, bare, share].map(String)),
      },
    ],
  };
}
