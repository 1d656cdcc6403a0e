import { type BenchResult, progress, type Target } from '../report.js';
import { rounded } from '../stats.js';
import { Direct } from './direct.js';
import { ExtismRig, extismVersion, MISSING } from './extism.js';
import { type IdleMemory, idleMemory } from './idle-memory.js';
import { Rig, ringVariants } from './ring.js';
import { type Measured, measure } from './rounds.js';

/** Name of the ratio, its two variants, its target. */
const RATIOS: readonly (readonly [string, string, string, Target])[] = [
  ['ring1024/direct', 'ring-1024', 'direct', { atLeast: 0.6 }],
  ['ring1024/extismWorkerBatch', 'ring-1024', 'extism-worker-batch', { atLeast: 10 }],
  ['fourInFlight/extismFourCalls', 'in-flight-4', 'extism-worker-4', { atLeast: 10 }],
  ['oneInFlight/extismOneCall', 'in-flight-1', 'extism-worker-1', { atLeast: 3 }],
];

/**
 * A 12-register Modbus reply to JSON, over the border between host and guest in many ways.
 * @param only names of the variants to run alone; then there is no memory either
 */
export async function border(only: readonly string[], short: boolean): Promise<BenchResult> {
  const peer = extismVersion();
  if (peer === undefined) throw new Error(MISSING);
  progress('starting one sandbox and five plugins of Extism');
  const rig = new Rig();
  await rig.start();
  const extism = await ExtismRig.start();
  const all = [new Direct(), ...ringVariants(rig), ...extism.variants()];
  const wanted = only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
  let measured: Map<string, Measured>;
  try {
    measured = await measure(wanted, short);
  } finally {
    await extism.stop();
    await rig.stop();
  }
  if (new Set([...measured.values()].map(({ checksum }) => checksum)).size !== 1)
    throw new Error('the variants do not give the same bytes');
  return result(measured, only.length === 0 ? await idleMemory() : undefined, peer);
}

function result(
  measured: ReadonlyMap<string, Measured>,
  memory: IdleMemory | undefined,
  peer: string,
): BenchResult {
  const found = RATIOS.filter(([, ours, theirs]) => measured.has(ours) && measured.has(theirs));
  const ratios = Object.fromEntries(
    found.map(([name, ours, theirs]) => [
      name,
      rounded(measured.get(ours)!.rate / measured.get(theirs)!.rate),
    ]),
  );
  const figures = {
    framesPerSecond: each(measured, ({ rate }) => rounded(rate)),
    cpuNanosecondsPerFrame: each(measured, ({ cpu }) => rounded(cpu)),
    rounds: each(measured, ({ rates }) => rates.map(rounded)),
    checksum: [...measured.values()][0]?.checksum,
    ...(memory === undefined
      ? {}
      : { idleGatewayMiB: rounded(memory.gatewayMiB), furtherSandboxMiB: rounded(memory.sandboxMiB) }),
    peer: `@extism/extism ${peer}`,
  };
  const rows = [...measured].map(([name, { rate, cpu }]) => [
    name,
    `${(rate / 1000).toFixed(1)} k/s`,
    `${(1e9 / rate).toFixed(0)} ns`,
    `${cpu.toFixed(0)} ns`,
  ]);
  const tables = [{ head: ['variant', 'frames', 'a frame', 'cpu a frame'], rows }];
  if (memory !== undefined) {
    const rss = [
      ['idle gateway, one route', `${memory.gatewayMiB.toFixed(1)} MiB`],
      ['each further idle sandbox', `${memory.sandboxMiB.toFixed(1)} MiB`],
    ];
    tables.push({ head: ['resident memory', ''], rows: rss });
  }
  const targets = Object.fromEntries(RATIOS.map(([name, , , target]) => [name, target]));
  return { ratios, targets, figures, tables };
}

function each<T>(
  measured: ReadonlyMap<string, Measured>,
  value: (measured: Measured) => T,
): Record<string, T> {
  return Object.fromEntries([...measured].map(([name, figures]) => [name, value(figures)]));
}
