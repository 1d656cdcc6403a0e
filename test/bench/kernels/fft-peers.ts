import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** This file is dist/test/bench/kernels/fft-peers.js. */
const PEERS = new URL('../../../../test/bench/peers/node_modules/', import.meta.url);

/** A real FFT of others: input and output lie where it wants them, and are not counted. */
export interface FftPeer {
  readonly name: string;
  /** Of JavaScript alone. */
  readonly isScript: boolean;
  transform(): void;
  /** Real and imaginary part of the first bins. */
  bin(k: number): readonly [number, number];
}

type Make = (samples: Float32Array) => Promise<FftPeer>;

const PACKAGES: Readonly<Record<string, Make>> = {
  'fft.js': async samples => {
    interface Transform {
      createComplexArray(): number[];
      realTransform(out: number[], data: readonly number[]): void;
    }
    const FFT = createRequire(import.meta.url)(inPeers('fft.js/lib/fft.js')) as new (
      size: number,
    ) => Transform;
    const plan = new FFT(samples.length);
    const [data, out] = [[...samples], plan.createComplexArray()];
    return {
      name: version('fft.js'),
      isScript: true,
      transform: () => plan.realTransform(out, data),
      bin: k => [out[2 * k]!, out[2 * k + 1]!],
    };
  },
  '@echogarden/pffft-wasm': async samples => {
    interface Pffft {
      readonly HEAPF32: Float32Array;
      _pffft_new_setup(size: number, kind: number): number;
      _pffft_aligned_malloc(bytes: number): number;
      _pffft_transform_ordered(setup: number, from: number, to: number, work: number, way: number): void;
    }
    const module = (await import(
      new URL('@echogarden/pffft-wasm/dist/simd/pffft.js', PEERS).href
    )) as unknown as { default: (options: object) => Promise<Pffft> };
    const pffft = await module.default({});
    const { length } = samples;
    const [REAL, FORWARD] = [0, 0];
    const setup = pffft._pffft_new_setup(length, REAL);
    const [from = 0, to = 0, work = 0] = [0, 1, 2].map(() => pffft._pffft_aligned_malloc(length * 4));
    pffft.HEAPF32.set(samples, from / 4);
    return {
      name: `${version('@echogarden/pffft-wasm')}/simd`,
      isScript: false,
      transform: () => pffft._pffft_transform_ordered(setup, from, to, work, FORWARD),
      bin: k => [pffft.HEAPF32[to / 4 + 2 * k]!, pffft.HEAPF32[to / 4 + 2 * k + 1]!],
    };
  },
  'kissfft-wasm': async samples => {
    interface Kiss {
      _kiss_fftr_alloc(size: number, inverse: number, memory: number, bytes: number): number;
      _kiss_fftr(plan: number, from: number, to: number): void;
      _malloc(bytes: number): number;
      readonly HEAPF32: Float32Array;
    }
    interface Library {
      readonly wasm: Kiss;
      waitLoading(): Promise<void>;
    }
    // Its loader takes any fetch for that of a browser, which knows no files.
    const { fetch } = globalThis;
    let library: Library;
    try {
      Object.assign(globalThis, { fetch: undefined });
      library = createRequire(import.meta.url)(inPeers('kissfft-wasm/lib/wasm.js')) as Library;
      await library.waitLoading();
    } finally {
      Object.assign(globalThis, { fetch });
    }
    const kiss = library.wasm;
    const plan = kiss._kiss_fftr_alloc(samples.length, 0, 0, 0);
    const [from, to] = [kiss._malloc(samples.byteLength), kiss._malloc(samples.byteLength + 8)];
    kiss.HEAPF32.set(samples, from / 4);
    return {
      name: version('kissfft-wasm'),
      isScript: false,
      transform: () => kiss._kiss_fftr(plan, from, to),
      bin: k => [kiss.HEAPF32[to / 4 + 2 * k]!, kiss.HEAPF32[to / 4 + 2 * k + 1]!],
    };
  },
};

/** Those that are installed, for these samples. */
export async function fftPeers(samples: Float32Array): Promise<FftPeer[]> {
  const found = Object.entries(PACKAGES).filter(([name]) => existsSync(new URL(`${name}/`, PEERS)));
  return Promise.all(found.map(([, make]) => make(samples)));
}

function inPeers(path: string): string {
  return new URL(path, PEERS).pathname;
}

function version(name: string): string {
  const file = new URL(`${name}/package.json`, PEERS);
  return `${name} ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
}
