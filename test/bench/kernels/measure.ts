import { progress } from '../report.js';
import { median } from '../stats.js';
import type { Call } from './arena.js';
import type { Case } from './cases.js';
import { type FftPeer, fftPeers } from './fft-peers.js';
import type { Side } from './side.js';

/** How long one sample lasts. */
const SAMPLE_NS = 4e6;
const ROUNDS = 15;
/** V8 compiles in two steps, and processors raise their clock: nothing of that is looked at. */
const WARM_NS = 60e6;

export interface Sides {
  readonly simd: Side;
  readonly scalar: Side;
  /** -msse4.2, and -mavx2 -mfma; undefined without a compiler. */
  readonly sse: Side | undefined;
  readonly avx: Side | undefined;
}

export interface Measured {
  readonly of: Case;
  /** Nanoseconds a call: medians over the rounds; by the name of the side or the peer. */
  readonly ns: Readonly<Record<string, number>>;
  /** The same of each round. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  readonly peers: readonly FftPeer[];
}

type Timer = (count: number) => Promise<number>;

/**
 * One case on all sides, in turns: each round gives each side one sample.
 * @throws Error results differ between the builds of one source, or a peer computes something else
 */
export async function measure(one: Case, sides: Sides): Promise<Measured> {
  const timers = new Map<string, Timer>();
  const results = new Map<string, Uint8Array>();
  for (const [name, side] of Object.entries(sides) as [string, Side | undefined][]) {
    if (side === undefined) continue;
    await side.load(one.arena);
    for (const call of one.prepare) await expectDone(side, call, name);
    await expectDone(side, one.call, name);
    results.set(name, await side.read(one.out));
    timers.set(name, timer(side, one.call));
    if (name === 'avx' && one.limit !== undefined) {
      const { answer } = await side.time(one.limit, 1);
      // An fftw that is not there.
      if (answer === 0) timers.set('limit', timer(side, one.limit));
    }
  }
  const mine = results.get('simd')!;
  for (const [name, bytes] of results)
    if (!Buffer.from(bytes).equals(mine)) throw new Error(`${one.name}: ${name} gives other bits than simd`);
  const peers = one.samples === undefined ? [] : await fftPeers(await floatsOf(sides.simd, one));
  for (const peer of peers) {
    check(peer, new Float32Array(mine.slice().buffer), one.name);
    timers.set(peer.name, async count => {
      const begin = process.hrtime.bigint();
      for (let i = 0; i < count; i++) peer.transform();
      return Number(process.hrtime.bigint() - begin);
    });
  }
  const samples = await rounds(timers);
  const ns = Object.fromEntries(Object.entries(samples).map(([side, list]) => [side, median(list)]));
  progress(
    `${one.name}: ${Object.entries(ns)
      .map(([side, value]) => `${side} ${value.toFixed(0)}`)
      .join(', ')} ns`,
  );
  return { of: one, ns, rounds: samples, peers };
}

async function expectDone(side: Side, call: Call, name: string): Promise<void> {
  const { answer } = await side.time(call, 1);
  if (answer !== 0) throw new Error(`${name}: ${call.kernel} answers ${answer}`);
}

function timer(side: Side, call: Call): Timer {
  return async count => (await side.time(call, count)).nanoseconds;
}

async function floatsOf(side: Side, { samples }: Case): Promise<Float32Array> {
  return new Float32Array((await side.read(samples!)).slice().buffer);
}

/** The peer transforms the same samples the same way. */
function check(peer: FftPeer, bins: Float32Array, name: string): void {
  peer.transform();
  for (const k of [1, 2, 77]) {
    const [re, im] = peer.bin(k);
    const off = Math.hypot(re - bins[2 * k]!, im - bins[2 * k + 1]!);
    if (!(off < 1e-3 * Math.hypot(re, im))) throw new Error(`${name}: ${peer.name} differs in bin ${k}`);
  }
}

async function rounds(timers: ReadonlyMap<string, Timer>): Promise<Record<string, number[]>> {
  const counts = new Map<string, number>();
  for (const [side, time] of timers) {
    let count = 1;
    let spent = 0;
    for (let last = 0; spent < WARM_NS; spent += last) {
      last = await time(count);
      if (last < SAMPLE_NS) count = Math.ceil(count * Math.min(10, (1.1 * SAMPLE_NS) / last));
    }
    counts.set(side, Math.max(1, Math.round((count * SAMPLE_NS) / (await time(count)))));
  }
  const samples = new Map([...timers.keys()].map(side => [side, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [side, time] of timers) {
      const count = counts.get(side)!;
      samples.get(side)!.push((await time(count)) / count);
    }
  }
  return Object.fromEntries(samples);
}

/** Median over the rounds of one side's time over another's: what slows both down for a while falls out. */
export function ratioOf({ rounds }: Measured, over: string, under: string): number | undefined {
  const [above, below] = [rounds[over], rounds[under]];
  return above && below && median(above.map((value, round) => value / below[round]!));
}
