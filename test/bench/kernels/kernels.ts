import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchResult, progress, type Table, type Target } from '../report.js';
import { rounded } from '../stats.js';
import { cases } from './cases.js';
import { type Measured, measure, ratioOf, type Sides } from './measure.js';
import { type NativeCompiler, NativeSide, nativeCompiler } from './native-side.js';
import { type EndToEnd, NO_BROKER, vibration, vibrationTable } from './vibration.js';
import { WasmSide } from './wasm-side.js';

/** At most so many times the time of native code of the same source. */
const TO_NATIVE = 1.15;
/** FFTs of JavaScript take at least so many times ours. */
const TO_SCRIPT = 2;

const NO_COMPILER =
  'SKIPPED: native code. No clang++ or g++ is found (SLUICE_NATIVE_CXX names another one): apt-get install g++';

/** Kernels as WebAssembly with and without vectors, as native code, and FFTs of others; `only` are names of cases. */
export async function kernels(only: readonly string[]): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-kernels-'));
  const compiler = nativeCompiler();
  if (compiler === undefined) progress(NO_COMPILER);
  const build = (name: string, ...flags: string[]): NativeSide | undefined =>
    compiler === undefined ? undefined : NativeSide.build(compiler, folder, name, flags);
  const simd = new WasmSide('kernels');
  const [sse, avx] = [build('sse', '-msse4.2'), build('avx', '-mavx2', '-mfma')];
  const sides: Sides = { simd, sse, scalar: new WasmSide('kernels-scalar'), avx };
  try {
    const measured: Measured[] = [];
    for (const one of cases(simd.ask.bind(simd)))
      if (only.length === 0 || only.some(name => one.name.startsWith(name)))
        measured.push(await measure(one, sides));
    const isWanted = only.length === 0 || only.includes('vibration');
    const endToEnd = isWanted ? await vibration() : undefined;
    if (isWanted && endToEnd === undefined) progress(NO_BROKER);
    return result(measured, compiler, (await avx?.fftw()) ?? '', endToEnd);
  } finally {
    await sse?.close();
    await avx?.close();
    await rm(folder, { recursive: true });
  }
}

function result(
  measured: readonly Measured[],
  compiler: NativeCompiler | undefined,
  fftw: string,
  endToEnd: Readonly<Record<string, EndToEnd>> | undefined,
): BenchResult {
  const ratios: Record<string, number> = {};
  const targets: Record<string, Target> = {};
  for (const one of measured) {
    const { of, peers } = one;
    const ratio = (over: string, under: string, name: string, target?: Target): void => {
      const value = ratioOf(one, over, under);
      if (value === undefined) return;
      ratios[`${of.name}: ${name}`] = rounded(value);
      if (target !== undefined) targets[`${of.name}: ${name}`] = target;
    };
    ratio('simd', 'sse', 'simd/native', of.judged ? { atMost: TO_NATIVE } : undefined);
    ratio('scalar', 'simd', 'scalar/simd');
    // For an FFT the limit is the system's fftw.
    ratio(
      'simd',
      one.rounds.limit === undefined ? 'avx' : 'limit',
      of.samples === undefined ? 'simd/avx2' : 'simd/fftw3f',
    );
    for (const { name, isScript } of peers)
      ratio(name, 'simd', `${name}/simd`, isScript ? { atLeast: TO_SCRIPT } : undefined);
  }
  return {
    ratios,
    targets,
    figures: {
      vibration: endToEnd ?? 'not run: --only vibration',
      nanoseconds: Object.fromEntries(
        measured.map(({ of, ns }) => [
          of.name,
          Object.fromEntries(Object.entries(ns).map(([side, value]) => [side, rounded(value)])),
        ]),
      ),
      native: compiler === undefined ? NO_COMPILER : `${compiler.version}, -O3 -msse4.2`,
      fftw: fftw === '' ? 'no libfftw3f.so.3 is found: apt-get install libfftw3-single3' : fftw,
    },
    tables: [
      table(measured),
      ...peerTables(measured, fftw),
      ...(endToEnd === undefined ? [] : [vibrationTable(endToEnd)]),
    ],
  };
}

function table(measured: readonly Measured[]): Table {
  const micro = (ns: number | undefined): string => (ns === undefined ? '' : (ns / 1000).toFixed(2));
  return {
    head: [
      'us a call',
      'elements',
      'simd128',
      'scalar',
      'native sse4.2',
      'avx2+fma',
      'by hand',
      'to native',
      'to scalar',
    ],
    rows: measured.map(one => [
      one.of.name,
      String(one.of.elements),
      ...['simd', 'scalar', 'sse', 'avx', 'limit'].map(side => micro(one.ns[side])),
      ratioOf(one, 'simd', 'sse')?.toFixed(2) ?? '',
      ratioOf(one, 'simd', 'scalar')!.toFixed(2),
    ]),
  };
}

function peerTables(measured: readonly Measured[], fftw: string): Table[] {
  return measured
    .filter(({ of }) => of.samples !== undefined)
    .map(({ of, ns, peers }) => ({
      head: [`us, ${of.name}`, 'time', 'of ours'],
      rows: [
        ['sluice simd128', ns.simd],
        ...peers.map(({ name }): [string, number | undefined] => [name, ns[name]]),
        [fftw, ns.limit],
      ]
        .filter((row): row is [string, number] => row[1] !== undefined)
        .map(([name, value]) => [name, (value / 1000).toFixed(2), (value / ns.simd!).toFixed(2)]),
    }));
}
