import { readFileSync } from 'node:fs';
import { ERRNOS } from '../../runtime/index.js';

/** One block as a kernel gave it out. */
export interface GivenBlock {
  readonly source: string;
  readonly topic: string;
  readonly timestamp: bigint;
  readonly rate: number;
  readonly channels: number;
  readonly format: 'bytes' | 'f32';
  readonly bytes: Uint8Array;
}

export interface LentBlock {
  readonly source?: string;
  readonly topic?: string;
  readonly timestamp?: bigint;
  readonly rate?: number;
  readonly channels?: number;
  readonly samples?: Float32Array;
  readonly bytes?: Uint8Array;
  /** Where the data begins, from a multiple of 16. */
  readonly off?: number;
}

export interface SavedState {
  readonly version: number;
  readonly bytes: Uint8Array;
}

type Call = (...values: (number | bigint)[]) => number;

/**
 * A kernel plugin called by hand, over the core-level signatures of plugin.wit: with samples of any rate and channels, which
 * only a kernel in front would give, and with its state.
 */
export class KernelGuest {
  readonly log: string[] = [];
  readonly #exports: Record<string, Call> & { memory: WebAssembly.Memory };

  /** @throws Error with the fault's text if the configuration is refused */
  constructor(file: string, config: unknown, folder: URL = new URL('../../plugins/', import.meta.url)) {
    const bytes = readFileSync(new URL(`${file}.wasm`, folder));
    const log = (_level: number, at: number, length: number): void =>
      void this.log.push(this.#text(at, length));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { $root: { log } });
    this.#exports = instance.exports as never;
    const text = Buffer.from(JSON.stringify(config));
    const at = this.#lend(text);
    this.#settle(this.#call('configure', at, text.length));
  }

  /** The block, or the name of the errno. */
  process(block: LentBlock): GivenBlock | string {
    const {
      source = 'line',
      topic = 'x',
      timestamp = 0n,
      rate = 0,
      channels = 1,
      samples,
      bytes,
      off = 0,
    } = block;
    const data = samples === undefined ? (bytes as Uint8Array) : bytesOf(samples);
    const names = Buffer.from(source + topic);
    const start = this.#lend(
      Buffer.concat([names, Buffer.alloc(16 - (names.length % 16) + off), Buffer.from(data)]),
    );
    const from = start + names.length + 16 - (names.length % 16) + off;
    const elements = samples === undefined ? data.length : samples.length;
    const answer = this.#call(
      'process',
      start,
      source.length,
      start + source.length,
      topic.length,
      timestamp,
      rate,
      channels,
      samples === undefined ? 0 : 1,
      from,
      elements,
    );
    const view = this.#view();
    if (view.getUint8(answer) === 1) return ERRNOS[view.getUint8(answer + 8)] ?? 'no errno';
    return this.#block(answer + 8);
  }

  /** The floats of a block that has to come. */
  floats(block: LentBlock): Float32Array {
    const given = this.process(block);
    if (typeof given === 'string') throw new Error(given);
    return new Float32Array(given.bytes.slice().buffer);
  }

  flush(): GivenBlock[] {
    this.#call('sluice_arena', 0);
    const answer = this.#call('flush', 0n);
    const view = this.#view();
    return Array.from({ length: view.getUint32(answer + 4, true) }, (_, i) =>
      this.#block(view.getUint32(answer, true) + i * 48),
    );
  }

  exportState(): SavedState {
    this.#call('sluice_arena', 0);
    const answer = this.#call('export-state');
    const view = this.#view();
    const at = view.getUint32(answer + 4, true);
    const length = view.getUint32(answer + 8, true);
    return {
      version: view.getUint32(answer, true),
      bytes: new Uint8Array(this.#exports.memory.buffer.slice(at, at + length)),
    };
  }

  /** @throws Error with the fault's text */
  importState({ version, bytes }: SavedState): void {
    const at = this.#lend(bytes);
    this.#settle(this.#call('import-state', version, at, bytes.length));
  }

  #lend(bytes: Uint8Array): number {
    const at = this.#call('sluice_arena', bytes.length);
    new Uint8Array(this.#exports.memory.buffer).set(bytes, at);
    return at;
  }

  #settle(answer: number): void {
    const view = this.#view();
    if (view.getUint8(answer) === 0) return;
    throw new Error(this.#text(view.getUint32(answer + 8, true), view.getUint32(answer + 12, true)));
  }

  #block(at: number): GivenBlock {
    const view = this.#view();
    const word = (offset: number): number => view.getUint32(at + offset, true);
    const format = view.getUint8(at + 36) === 1 ? 'f32' : 'bytes';
    const from = word(40);
    return {
      source: this.#text(word(0), word(4)),
      topic: this.#text(word(8), word(12)),
      timestamp: view.getBigUint64(at + 16, true),
      rate: view.getFloat64(at + 24, true),
      channels: word(32),
      format,
      bytes: new Uint8Array(
        this.#exports.memory.buffer.slice(from, from + word(44) * (format === 'f32' ? 4 : 1)),
      ),
    };
  }

  #call(name: string, ...values: (number | bigint)[]): number {
    return (this.#exports[name] as Call)(...values) >>> 0;
  }

  #view(): DataView {
    return new DataView(this.#exports.memory.buffer);
  }

  #text(at: number, length: number): string {
    return Buffer.from(this.#exports.memory.buffer).toString('utf8', at, at + length);
  }
}

/** What both builds of a kernel do, which has to be the same. */
export function bothBuilds<T>(work: (suffix: '' | '-scalar') => T, same: (one: T, other: T) => void): T {
  const simd = work('');
  same(simd, work('-scalar'));
  return simd;
}

export function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.slice().buffer);
}

export function floatsIn(block: GivenBlock | string): Float32Array {
  if (typeof block === 'string') throw new Error(block);
  return new Float32Array(block.bytes.slice().buffer);
}
