import { readFileSync } from 'node:fs';
import type { Arena, Argument, Call, Place } from './arena.js';
import type { Side, Timed } from './side.js';

const PAGE = 65536;
const ROOM = 16 << 20;

type Kernel = (...values: number[]) => number;

/** The library of test/guests: all kernels as exports of one module. */
export class WasmSide implements Side {
  readonly #exports: Record<string, Kernel> & { memory: WebAssembly.Memory };
  readonly #base: number;

  constructor(build: 'kernels' | 'kernels-scalar') {
    const bytes = readFileSync(new URL(`../../guests/${build}.wasm`, import.meta.url));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { $root: { log: () => {} } });
    this.#exports = instance.exports as never;
    this.#base = this.#exports.memory.grow(ROOM / PAGE) * PAGE;
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, this.#base);
  }

  /** What a kernel that gives a number and takes only numbers says: the size of a state. */
  ask(kernel: string, ...sizes: number[]): number {
    return this.#kernel(kernel)(...sizes) >>> 0;
  }

  async load(arena: Arena): Promise<void> {
    const all = this.#bytes;
    for (const { place, bytes } of arena.contents) all.set(bytes, place.at);
  }

  async time({ kernel, args }: Call, count: number): Promise<Timed> {
    const run = repeat(this.#kernel(kernel), args.map(this.#value));
    const begin = process.hrtime.bigint();
    const answer = run(count);
    return { answer: answer >>> 0, nanoseconds: Number(process.hrtime.bigint() - begin) };
  }

  async read({ at, bytes }: Place): Promise<Uint8Array> {
    return this.#bytes.slice(at, at + bytes);
  }

  #kernel(name: string): Kernel {
    const kernel = this.#exports[`sluice_kernel_${name}`];
    if (kernel === undefined) throw new Error(`the library has no kernel ${name}`);
    return kernel;
  }

  readonly #value = (value: Argument): number =>
    typeof value === 'number' ? value : 'double' in value ? value.double : this.#base + value.at;
}

/** A loop of its own for each number of arguments: spreading them costs as much as a small kernel. */
function repeat(f: Kernel, values: readonly number[]): (count: number) => number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, g = 0, h = 0, i = 0] = values;
  return count => {
    let answer = 0;
    for (let n = 0; n < count; n++) answer = f(a, b, c, d, e, g, h, i);
    return answer;
  };
}
