import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Interned, Stamp } from '../../../runtime/index.js';
import { type ChainSpec, SandboxPool, Slot } from '../../../sandbox/index.js';
import { holdYoungSpace, letYoungSpaceGrow } from '../../../sandbox/young-space.js';
import { chainOf, guestStage } from '../../support/chain/slot-rig.js';
import { type BenchResult, progress } from '../report.js';
import { rounded } from '../stats.js';

interface Counts {
  readonly cycles: number;
  readonly kills: number;
  /** Cycles after which memory is looked at first. */
  readonly warm: number;
}

const FULL: Counts = { cycles: 10_000, kills: 1000, warm: 500 };
/** The same in a tenth of the time: `--only short`. */
const SHORT: Counts = { cycles: 1000, kills: 100, warm: 500 };
const FRAMES = 10;
const GROWTH = 1.05;
const GOOD = Buffer.from([1]);
const POISON = Buffer.from([0xee]);

/** One slot whose outcomes are only counted: what a test would keep of them is no leak of ours. */
class Counted {
  readonly pool = new SandboxPool({ threads: 4 });
  readonly #source = Interned.text('leak');
  readonly #topic = Interned.text('leak/x');
  readonly #time = new Stamp();
  #seen = 0;
  #sent = 0;
  #left = 0;
  #payload: Buffer = GOOD;
  #arrived: () => void = () => {};
  kills = 0;
  readonly slot = new Slot(this.pool, {
    committed: () => this.#take(),
    fault: () => {},
    restarted: () => {
      this.kills++;
    },
    failed: () => {},
    log: () => {},
  });

  async run(frames: number, payload: Buffer): Promise<void> {
    const done = new Promise<void>(resolve => {
      this.#arrived = resolve;
    });
    this.#left = frames;
    this.#payload = payload;
    this.#send();
    await done;
  }

  /** As many as the ring takes: where a busy machine made batches small it is full before all are in, and goes on with each ack. */
  #send(): void {
    const { ring } = this.slot;
    const { length } = this.#payload;
    while (
      this.#left > 0 &&
      ring.push(0, this.#sent + 1, this.#source, this.#topic, this.#time, this.#payload, 0, length, undefined)
    ) {
      this.#left--;
      this.#sent++;
    }
    this.slot.turnEnded();
  }

  #take(): void {
    for (let delivery = this.slot.next(); delivery !== undefined; delivery = this.slot.next()) {
      if (!delivery.isFlush) this.#seen += delivery.end - delivery.begin;
      this.slot.ack();
    }
    if (this.#left > 0) this.#send();
    else if (this.#seen >= this.#sent) this.#arrived();
  }
}

/** Plugins come and go, and are killed: does the process keep anything of them? */
export async function leak(only: readonly string[]): Promise<BenchResult> {
  const { cycles, kills, warm } = only.includes('short') ? SHORT : FULL;
  // As in a gateway: V8's own setting lets the young generation of this thread come and go by 30 MiB, which is no leak.
  holdYoungSpace();
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const counted = new Counted();
  const options = { deadlineMs: 10, startDeadlineMs: 1000 };
  const specs: ChainSpec[] = [];
  for (const guest of ['echo', 'counter', 'tally', 'spin'])
    specs.push(chainOf([await guestStage(guest, options)], options));
  letYoungSpaceGrow();
  const began = performance.now();
  let before = 0;
  for (let cycle = 1; cycle <= cycles; cycle++) {
    await counted.slot.swap(specs[cycle % specs.length] as ChainSpec);
    await counted.run(FRAMES, GOOD);
    if (cycle === warm) before = await resident(gc);
    if (cycle % 500 === 0) progress(`cycle ${cycle} of ${cycles}: ${mib(await resident(gc))} MiB`);
  }
  const loaded = await resident(gc);
  const cycleSeconds = (performance.now() - began) / 1000;
  const spin = chainOf([await guestStage('spin', options)], { ...options, startDeadlineMs: 100 });
  await counted.slot.swap(spin);
  while (counted.kills < kills) {
    await counted.run(1, POISON);
    if (counted.kills % 100 < 2)
      progress(`kill ${counted.kills} of ${kills}: ${mib(await resident(gc))} MiB`);
  }
  const killed = await resident(gc);
  const seconds = (performance.now() - began) / 1000;
  const threads = counted.pool.size;
  await counted.slot.stop(AbortSignal.timeout(1000));
  await counted.pool.close();
  return {
    ratios: {
      'memory after the cycles': rounded(loaded / before),
      'memory after the kills': rounded(killed / before),
      'threads at the end': threads,
    },
    targets: {
      'memory after the cycles': { atMost: GROWTH },
      'memory after the kills': { atMost: GROWTH },
      // One serves, one is the warm spare.
      'threads at the end': { atMost: 2 },
    },
    figures: {
      cycles,
      kills,
      residentMiB: { warm: mib(before), cycles: mib(loaded), kills: mib(killed) },
      cyclesPerSecond: rounded(cycles / cycleSeconds),
      seconds: Math.round(seconds),
    },
    tables: [
      {
        head: ['MiB', `after ${warm} cycles`, `after ${cycles}`, `after ${kills} kills`, 'seconds'],
        rows: [['', mib(before), mib(loaded), mib(killed), Math.round(seconds)].map(String)],
      },
    ],
  };
}

/** Bytes that the process holds when there is nothing left to collect. */
async function resident(gc: () => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise(resolve => setTimeout(resolve, 20));
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
