import { readFile } from 'node:fs/promises';
import { scan } from '../../../runtime/admission/scan/scan.js';
import {
  embeddedModules,
  moduleFiles,
  peerModule,
  type RealModule,
} from '../../support/modules/real-modules.js';
import { readWithWasmparser } from '../../support/modules/wasmparser-oracle.js';
import { type BenchResult, progress } from '../report.js';
import { median, rounded } from '../stats.js';

const MIB = 1 << 20;
/** From here on a module is large: what costs once a call no longer shows. */
const LARGE = 1_000_000;
const EIGHT = 8 * MIB;
const ROUNDS = 15;
const WARM_ROUNDS = 5;
/** Bytes that one sample reads at least: small modules are read again and again. */
const SAMPLE_BYTES = 1 << 18;
const OURS = ['../../../plugins/modbus-json.wasm', '../../../plugins/rms.wasm', '../../guests/echo.wasm'];

const READERS = {
  scan: (bytes: Uint8Array): unknown => scan(bytes),
  validate: (bytes: Uint8Array): unknown => WebAssembly.validate(bytes),
  wasmparser: (bytes: Uint8Array): unknown => readWithWasmparser(bytes),
} as const;
type Reader = keyof typeof READERS;
const NAMES = Object.keys(READERS) as Reader[];

interface Measured {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds a call: medians over the rounds. */
  readonly ms: Readonly<Record<Reader, number>>;
  /** Processor time of all threads in milliseconds a call, over all rounds: it shows what a busy machine hides. */
  readonly cpu: Readonly<Record<Reader, number>>;
}

/**
 * What reading a module costs before it is compiled: our scanner, V8's own validation and npm wasmparser, on the same
 * bytes, in turns. Warm: each has read each module before.
 */
export async function admission(): Promise<BenchResult> {
  const peer = await peerModule();
  if (peer === undefined) progress('without the module with SIMD and threads: npm run bench:peers');
  const modules = [
    ...(await Promise.all(OURS.map(ourModule))),
    ...(await moduleFiles()),
    ...(await embeddedModules()),
    ...(peer === undefined ? [] : [peer]),
  ].toSorted((a, b) => a.bytes.length - b.bytes.length);
  return result(measure(modules));
}

async function ourModule(path: string): Promise<RealModule> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { name, bytes: new Uint8Array(await readFile(new URL(path, import.meta.url))) };
}

function measure(modules: readonly RealModule[]): Measured[] {
  const samples = modules.map(() => ({ scan: [], validate: [], wasmparser: [] }) as Record<Reader, Sample[]>);
  for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
    progress(round < 0 ? `warming up: ${-round}` : `round ${round + 1} of ${ROUNDS}`);
    for (const [index, { bytes }] of modules.entries()) {
      // The first of a round finds the bytes in memory only; so they take turns.
      for (let turn = 0; turn < NAMES.length; turn++) {
        const name = NAMES[(turn + round + WARM_ROUNDS) % NAMES.length]!;
        const taken = sample(READERS[name], bytes);
        if (round >= 0) samples[index]![name].push(taken);
      }
    }
  }
  return modules.map(({ name, bytes }, index) => {
    const each = (of: (taken: readonly Sample[]) => number): Record<Reader, number> => {
      const { scan: ours, validate, wasmparser } = samples[index]!;
      return { scan: of(ours), validate: of(validate), wasmparser: of(wasmparser) };
    };
    const ms = each(taken => median(taken.map(one => one.ms)));
    const cpu = each(taken => taken.reduce((sum, one) => sum + one.cpu, 0) / ROUNDS);
    return { name, bytes: bytes.length, ms, cpu };
  });
}

/** Milliseconds a call. */
interface Sample {
  readonly ms: number;
  readonly cpu: number;
}

function sample(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): Sample {
  const calls = Math.ceil(SAMPLE_BYTES / bytes.length);
  const before = process.cpuUsage();
  const start = performance.now();
  for (let call = 0; call < calls; call++) read(bytes);
  const ms = (performance.now() - start) / calls;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpu: (user + system) / 1000 / calls };
}

function result(measured: readonly Measured[]): BenchResult {
  const large = measured.filter(({ bytes }) => bytes > LARGE);
  const huge = measured.filter(({ bytes }) => bytes >= EIGHT);
  const worst = (all: readonly Measured[], of: (each: Measured) => number): number =>
    Math.max(...all.map(of));
  const perMiB = ({ bytes }: Measured, ms: number): number => (ms / bytes) * MIB;
  const rows = measured.map(each => [
    each.name,
    String(each.bytes),
    ...NAMES.map(name => perMiB(each, each.ms[name]).toFixed(2)),
    ...NAMES.map(name => perMiB(each, each.cpu[name]).toFixed(2)),
    (each.ms.scan / each.ms.validate).toFixed(2),
    (each.ms.scan / each.ms.wasmparser).toFixed(2),
  ]);
  return {
    ratios: {
      'scan/validate': rounded(worst(large, ({ ms }) => ms.scan / ms.validate)),
      'scan/wasmparser': rounded(worst(measured, ({ ms }) => ms.scan / ms.wasmparser)),
      'scan-8MiB-ms': rounded(worst(huge, each => perMiB(each, each.ms.scan) * 8)),
    },
    targets: {
      'scan/validate': { atMost: 3 },
      'scan/wasmparser': { atMost: 1 },
      'scan-8MiB-ms': { atMost: 150 },
    },
    figures: {
      millisecondsPerMiB: Object.fromEntries(
        measured.map(each => [
          each.name,
          Object.fromEntries(NAMES.map(name => [name, rounded(perMiB(each, each.ms[name]))])),
        ]),
      ),
      cpuMillisecondsPerMiB: Object.fromEntries(
        measured.map(each => [
          each.name,
          Object.fromEntries(NAMES.map(name => [name, rounded(perMiB(each, each.cpu[name]))])),
        ]),
      ),
      bytes: Object.fromEntries(measured.map(({ name, bytes }) => [name, bytes])),
      plan: {
        rounds: ROUNDS,
        warmUp: WARM_ROUNDS,
        judged: `scan/validate over ${LARGE} bytes, the worst of each`,
      },
    },
    tables: [
      {
        head: [
          'ms a MiB, warm',
          'bytes',
          ...NAMES,
          ...NAMES.map(name => `${name} cpu`),
          'to validate',
          'to wasmparser',
        ],
        rows,
      },
    ],
  };
}
