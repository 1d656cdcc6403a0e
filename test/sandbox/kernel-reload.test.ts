import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageSpec } from '../../sandbox/index.js';
import { noise } from '../cpp-kernels/numbers.js';
import { sharedRig } from '../support/chain/shared-pool.js';
import { chainOf, guestStage, type SlotRig } from '../support/chain/slot-rig.js';

const RATE = 25_600;

/** A plugin of cpp-kernels, with or without vectors, under the name that both have. */
async function kernel(plugin: string, build: '' | '-scalar', config: object): Promise<StageSpec> {
  const stage = await guestStage(`../../plugins/${plugin}${build}`, { config: JSON.stringify(config) });
  return { ...stage, plugin };
}

/** Filters that ring for long, then windows and averages that span blocks. */
function chain(build: '' | '-scalar'): Promise<StageSpec[]> {
  return Promise.all([
    kernel('filter', build, { lowpass: 300, highpass: 5, order: 8, channels: 3, rate: RATE }),
    kernel('filter', build, { taps: [...noise(101, 3)] }),
    kernel('vibration', build, { size: 64, hop: 48, features: ['rms', 'crest'], weight: 0.05, settle: 4 }),
  ]);
}

/** Blocks of three axes that end nowhere near the end of a window. */
const BLOCKS = Array.from({ length: 60 }, (_, i) => new Uint8Array(noise(3 * (31 + (i % 7)), i + 1).buffer));

/** The samples that came out, in order; `at` says behind which block the chain is replaced, and by what. */
async function run(at: ReadonlyMap<number, '' | '-scalar'>): Promise<{ rig: SlotRig; out: Buffer }> {
  const rig = sharedRig();
  await rig.slot.swap(chainOf(await chain('')));
  const swaps: Promise<unknown>[] = [];
  for (const [index, block] of BLOCKS.entries()) {
    await rig.push([block]);
    const build = at.get(index);
    // Blocks go on coming while the next one is made.
    if (build !== undefined) swaps.push(rig.slot.swap(chainOf(await chain(build))));
    if (swaps.length > 0 && index % 20 === 19) await Promise.all(swaps);
  }
  const outcomes = await rig.settle();
  const out = Buffer.concat(outcomes.flatMap(({ messages }) => messages.map(({ payload }) => payload)));
  return { rig, out };
}

test('kernels replaced twice in the middle of a stream, by builds with and without vectors: the difference to a run without is zero', async () => {
  const plain = await run(new Map());
  await using _plain = plain.rig;
  const reloaded = await run(
    new Map([
      [11, '-scalar'],
      [37, ''],
    ]),
  );
  await using _reloaded = reloaded.rig;
  assert.ok(plain.out.length > 1000);
  assert.ok(plain.out.equals(reloaded.out), 'there is a step in the output');
  const { rig } = reloaded;
  assert.deepEqual(
    rig.restored.map(({ from }) => from?.generation),
    [1, 1, 1, 2, 2, 2],
  );
  assert.deepEqual([rig.faults, rig.outcomes.filter(({ code }) => code !== undefined)], [[], []]);
});
