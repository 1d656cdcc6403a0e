import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchResult, progress } from '../report.js';
import { Site } from './site.js';

const KILLS = 100;
/** With `--short`. */
const FEW_KILLS = 6;
const SOURCES = 2;
/** Messages a second of each source. */
const RATE = 500;
const TICK_MS = 10;
/** A gateway that has just started lives on for so long. */
const LEAST_MS = 100;
const MOST_MS = 2000;

/** Publishes numbers at a steady rate until it is told to end. */
class Load {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #began = performance.now();
  sent = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - this.#began) * RATE) / 1000) - this.sent;
      const lines = Array.from({ length: due }, () => this.sent++);
      if (due > 0) child.stdin?.write(`${lines.join('\n')}\n`);
    }, TICK_MS);
  }

  /** Everything is with the broker. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    const exit = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await exit;
  }
}

/** Kills a gateway in mid-traffic again and again, with its sink there and away in turns. */
export async function crash(short: boolean): Promise<BenchResult> {
  const kills = short ? FEW_KILLS : KILLS;
  const site = await Site.build(SOURCES, '1GiB');
  try {
    await site.gateway.start();
    const loads = Array.from({ length: SOURCES }, (_, source) => new Load(site.publisher(source)));
    let spooling = 0;
    let found = 0;
    for (let kill = 1; kill <= kills; kill++) {
      // From the second round of the pair on the line is there again, with what the first has left.
      if (kill % 2 === 1) site.line.cut();
      else site.line.mend();
      await sleep(LEAST_MS + Math.random() * (MOST_MS - LEAST_MS));
      await site.gateway.kill();
      const left = site.gateway.spooled;
      if (left > 0) spooling++;
      found += left;
      if (kill % 10 === 0) progress(`kill ${kill} of ${kills}`);
      await site.gateway.start();
    }
    site.line.mend();
    for (const load of loads) await load.end();
    await site.quiet();
    const left = site.gateway.spooled;
    const exit = await site.gateway.stop();
    const sent = loads.map(load => load.sent);
    const count = await site.count(sent);
    const messages = sent.reduce((sum, each) => sum + each, 0);
    return {
      ratios: { lost: count.lost, 'exit of the last stop': Number(exit), 'left in the spool': left },
      targets: {
        lost: { atMost: 0 },
        'exit of the last stop': { atMost: 0 },
        'left in the spool': { atMost: 0 },
      },
      figures: { kills, messages, ...count, killsOverASpool: spooling, foundInSpool: found },
      tables: [
        {
          head: [`${kills} SIGKILLs`, 'messages', 'lost', 'repeated, same id', 'sent again by the source'],
          rows: [['', ...[messages, count.lost, count.repeated, count.sentAgain].map(String)]],
        },
      ],
    };
  } finally {
    await site.stop();
  }
}
