import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const PAGE = 65536;
/** Bytes of a known pattern in front of and behind every buffer. */
const GUARD = 64;
const PATTERN = 0xa5;

/** What a kernel answers: cpp-kernels/include/sluice-kernels.h. */
export const ERRNO = {
  OK: 0,
  EINVAL: 1,
  ENOSPC: 2,
  EDOM: 3,
  ERANGE: 4,
  ENOMEM: 5,
  ENOSYS: 6,
  EFAULT: 7,
} as const;

/** The build with vectors and the build without. */
const BUILDS = ['kernels', 'kernels-scalar'] as const;

type Values = Float32Array | Float64Array | Uint32Array | Uint8Array;

/** A piece of the library's memory. */
export interface Piece {
  readonly at: number;
  readonly bytes: number;
}

/**
 * All kernels as plain functions, with a caller that watches: around every buffer lie bytes that no call may change, and
 * a trap is an error of the kernel whatever it was given.
 */
export class Library {
  readonly build: string;
  readonly #exports: Record<string, (...values: number[]) => number> & { memory: WebAssembly.Memory };
  readonly #pieces: Piece[] = [];
  readonly #start: number;
  #next: number;

  constructor(build: string) {
    this.build = build;
    const bytes = readFileSync(new URL(`../guests/${build}.wasm`, import.meta.url));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { $root: { log: () => {} } });
    this.#exports = instance.exports as never;
    this.#start = this.#exports.memory.grow(64) * PAGE;
    this.#next = this.#start;
  }

  get memory(): ArrayBuffer {
    return this.#exports.memory.buffer as ArrayBuffer;
  }

  /** Names of the kernels. */
  get names(): string[] {
    return Object.keys(this.#exports).filter(name => name.startsWith('sluice_kernel_'));
  }

  /** Forgets all buffers. */
  begin(): void {
    this.#pieces.length = 0;
    this.#next = this.#start;
  }

  /** Forgets the buffers that were made behind this one. */
  forgetBehind(piece: Piece): void {
    this.#pieces.splice(this.#pieces.indexOf(piece) + 1);
    this.#next = piece.at + piece.bytes + GUARD;
  }

  /** `bytes` bytes of nonsense, `off` bytes behind a multiple of 16. */
  room(bytes: number, off = 0): Piece {
    const at = Math.ceil((this.#next + GUARD) / 16) * 16 + off;
    const end = at + bytes + GUARD;
    if (end > this.memory.byteLength)
      this.#exports.memory.grow(Math.ceil((end - this.memory.byteLength) / PAGE));
    const all = new Uint8Array(this.memory);
    all.fill(PATTERN, this.#next, end);
    all.fill(0xee, at, at + bytes);
    this.#next = end;
    const piece = { at, bytes };
    this.#pieces.push(piece);
    return piece;
  }

  put(values: Values, off = 0): Piece {
    const piece = this.room(values.byteLength, off);
    new Uint8Array(this.memory).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      piece.at,
    );
    return piece;
  }

  /** Calls a kernel (its name without sluice_kernel_) and looks at every guard. */
  call(name: string, ...values: (number | Piece)[]): number {
    const kernel = this.#exports[`sluice_kernel_${name}`];
    assert.ok(kernel, `there is no kernel ${name}`);
    const answer = kernel(...values.map(value => (typeof value === 'number' ? value : value.at)));
    const all = new Uint8Array(this.memory);
    let at = this.#start;
    for (const piece of [...this.#pieces, { at: this.#next, bytes: 0 }]) {
      for (; at < piece.at; at++) {
        if (all[at] !== PATTERN)
          assert.fail(`${this.build}: ${name} wrote to byte ${at}, outside of the buffers`);
      }
      at = piece.at + piece.bytes;
    }
    return answer >>> 0;
  }

  /** The same where nothing but success will do. */
  run(name: string, ...values: (number | Piece)[]): void {
    assert.equal(this.call(name, ...values), ERRNO.OK, `${this.build}: ${name}`);
  }

  /** Kernels with a state: a block of the right size, initialised. */
  state(name: string, sizes: readonly number[], settings: readonly (number | Piece)[]): Piece {
    const bytes = this.call(`${name}_bytes`, ...sizes);
    assert.notEqual(bytes, 0, `${name}_bytes(${sizes})`);
    const state = this.room(bytes);
    this.run(`${name}_init`, state, bytes, ...settings);
    return state;
  }

  floats(piece: Piece, count: number = piece.bytes / 4): Float32Array {
    return new Float32Array(this.memory.slice(piece.at, piece.at + count * 4));
  }

  bytes(piece: Piece, count: number = piece.bytes): Uint8Array {
    return new Uint8Array(this.memory.slice(piece.at, piece.at + count));
  }

  word(piece: Piece): number {
    return new DataView(this.memory).getUint32(piece.at, true);
  }

  doubles(piece: Piece): Float64Array {
    return new Float64Array(this.memory.slice(piece.at, piece.at + piece.bytes));
  }
}

const libraries = BUILDS.map(build => new Library(build));

/** What both builds give, which has to be the same bit by bit. */
export function onBoth<T>(work: (library: Library) => T): T {
  const [simd, scalar] = libraries.map(library => {
    library.begin();
    return work(library);
  });
  assert.deepEqual(bitsOf(simd), bitsOf(scalar), 'the builds with and without vectors differ');
  return simd as T;
}

/** Floats as their bits: NaN equals NaN only if it is the same one, and 0 is not -0. */
function bitsOf(value: unknown): unknown {
  if (value instanceof Float32Array) return new Uint32Array(value.slice().buffer);
  if (Array.isArray(value)) return value.map(bitsOf);
  return value;
}
