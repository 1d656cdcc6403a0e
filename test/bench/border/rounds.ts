import { progress } from '../report.js';
import { median } from '../stats.js';
import type { Sample, Variant } from './variant.js';
import { Tally } from './work.js';

const FULL = { rounds: 5, sampleMs: 400, warmMs: 800 };
/** With `--short`. */
const SHORT = { rounds: 1, sampleMs: 100, warmMs: 50 };
const PATIENCE_MS = 10_000;

/** Medians over the rounds, by the name of the variant. */
export interface Measured extends Sample {
  /** Sum of all payload bytes of all FRAMES results. */
  readonly checksum: number;
  /** Rates of all rounds. */
  readonly rates: readonly number[];
}

/** Runs each variant once with every byte compared, then some rounds in turn, and takes the medians. */
export async function measure(variants: readonly Variant[], short: boolean): Promise<Map<string, Measured>> {
  const { rounds, sampleMs, warmMs } = short ? SHORT : FULL;
  const checksums = new Map<string, number>();
  for (const variant of variants) {
    const full = new Tally(true);
    full.check(await within(variant, () => full.isComplete, full));
    checksums.set(variant.name, full.checksum);
    await sample(variant, warmMs);
  }
  const samples = new Map<string, Sample[]>(variants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    for (const variant of variants) samples.get(variant.name)!.push(await sample(variant, sampleMs));
  }
  return new Map(
    variants.map(({ name }) => {
      const all = samples.get(name)!;
      const rates = all.map(({ rate }) => rate);
      const cpu = median(all.map(each => each.cpu));
      return [name, { rate: median(rates), cpu, rates, checksum: checksums.get(name)! }];
    }),
  );
}

async function sample(variant: Variant, ms: number): Promise<Sample> {
  const tally = new Tally(false);
  const cpu = process.cpuUsage();
  const began = performance.now();
  const end = began + ms;
  const frames = await within(variant, () => performance.now() >= end, tally);
  const elapsed = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  tally.check(frames);
  return { rate: (frames / elapsed) * 1000, cpu: ((user + system) * 1000) / frames };
}

/** @throws Error a variant that stands still would never end */
async function within(variant: Variant, over: () => boolean, tally: Tally): Promise<number> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${variant.name} stands still at frame ${tally.count}`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([variant.run(over, tally), promise]);
  } finally {
    clearTimeout(timer);
  }
}
