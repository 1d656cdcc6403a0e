import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Variant } from './variant.js';
import { ADUS, FRAMES, type Tally, TOPIC } from './work.js';

/** What is used of @extism/extism. */
interface Plugin {
  call(name: string, input: Uint8Array): Promise<{ bytes(): Uint8Array } | null>;
  reset(): Promise<boolean>;
  close(): Promise<void>;
}

interface Extism {
  createPlugin(
    manifest: { wasm: { data: Uint8Array }[] },
    options: { runInWorker: boolean },
  ): Promise<Plugin>;
}

// This file is dist/test/bench/border/extism.js.
const PEERS = new URL('../../../../test/bench/peers/', import.meta.url);
const PACKAGE = new URL('node_modules/@extism/extism/', PEERS);
const GUEST = new URL('guest/', PEERS);
const BUILDER = new URL('../../../scripts/build-plugin.js', import.meta.url);
const BUILT = new URL('../extism-modbus-json.wasm', import.meta.url);

/**
 * Calls after which a plugin is reset. Extism keeps the memory blocks of all calls until then and walks
 * them in each call: without a reset its worker falls from 10,000 to 2,000 calls a second within seconds.
 */
const RESET_AFTER = { one: 64, batch: 16 } as const;
const POOL = 4;

export const MISSING = 'the peers are not installed: run `npm run bench:peers` first';

export function extismVersion(): string | undefined {
  if (!existsSync(PACKAGE)) return undefined;
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Extism's plugins, the same conversion in each. */
export class ExtismRig {
  readonly #workers: Plugin[];
  readonly #inThread: Plugin;

  private constructor(workers: Plugin[], inThread: Plugin) {
    this.#workers = workers;
    this.#inThread = inThread;
  }

  static async start(): Promise<ExtismRig> {
    const out = fileURLToPath(BUILT);
    // By the builder itself: as it is not packed, it is no plugin of ours.
    await promisify(execFile)(process.execPath, [fileURLToPath(BUILDER), fileURLToPath(GUEST), out]);
    const { createPlugin } = (await import(new URL('dist/esm/mod.js', PACKAGE).href)) as Extism;
    const make = (runInWorker: boolean): Promise<Plugin> =>
      createPlugin({ wasm: [{ data: readFileSync(out) }] }, { runInWorker });
    const workers = await Promise.all(Array.from({ length: POOL }, () => make(true)));
    return new ExtismRig(workers, await make(false));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers, this.#inThread].map(plugin => plugin.close()));
  }

  variants(): Variant[] {
    const worker = this.#workers.slice(0, 1);
    const thread = [this.#inThread];
    // Wrapped as they are, without a copy, when their memory is of the kind that the plugin uses.
    const shared = (bytes: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(bytes));
    const own = (bytes: number): Uint8Array => new Uint8Array(bytes);
    return [
      { name: 'extism-worker-batch', run: (over, tally) => batches(worker, shared, over, tally) },
      { name: 'extism-worker-4', run: (over, tally) => singles(this.#workers, shared, over, tally) },
      { name: 'extism-worker-1', run: (over, tally) => singles(worker, shared, over, tally) },
      { name: 'extism-in-thread-batch', run: (over, tally) => batches(thread, own, over, tally) },
      { name: 'extism-in-thread-1', run: (over, tally) => singles(thread, own, over, tally) },
    ];
  }
}

type Allocate = (bytes: number) => Uint8Array;

/** One call a frame, one call at a time on each plugin: a plugin takes no second one meanwhile. */
async function singles(
  plugins: readonly Plugin[],
  allocate: Allocate,
  over: () => boolean,
  tally: Tally,
): Promise<number> {
  let frames = 0;
  const loop = async (plugin: Plugin): Promise<void> => {
    const input = allocate(packedSize(1));
    for (let calls = 1; !over(); calls++) {
      const frame = frames++;
      pack(input, frame, 1);
      const output = await plugin.call('convert', input);
      const bytes = output!.bytes();
      tally.take(frame, TOPIC, 0, TOPIC.length, bytes, 0, bytes.length);
      if (calls % RESET_AFTER.one === 0) await plugin.reset();
    }
    await plugin.reset();
  };
  await Promise.all(plugins.map(loop));
  return frames;
}

/** One call for FRAMES frames. */
async function batches(
  [plugin]: readonly Plugin[],
  allocate: Allocate,
  over: () => boolean,
  tally: Tally,
): Promise<number> {
  let frames = 0;
  const input = allocate(packedSize(FRAMES));
  for (let calls = 1; !over(); calls++) {
    pack(input, 0, FRAMES);
    const output = await plugin!.call('convertBatch', input);
    readBatch(output!.bytes(), tally);
    frames += FRAMES;
    if (calls % RESET_AFTER.batch === 0) await plugin!.reset();
  }
  await plugin!.reset();
  return frames;
}

function packedSize(count: number): number {
  return TOPIC.length + count * (4 + ADUS[0]!.length);
}

/** The input of guest/modbus-json.as.ts: the topic once, as our slab holds it once. */
function pack(input: Uint8Array, first: number, count: number): void {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const adu = ADUS[(first + i) & (FRAMES - 1)]!;
    const topic = i === 0 ? TOPIC.length : 0;
    input[at] = topic;
    input[at + 1] = 0;
    input[at + 2] = adu.length;
    input[at + 3] = 0;
    at += 4;
    if (topic > 0) input.set(TOPIC, at);
    at += topic;
    // So short a copy is faster by hand.
    for (let b = 0; b < adu.length; b++) input[at + b] = adu[b]!;
    at += adu.length;
  }
}

function readBatch(output: Uint8Array, tally: Tally): void {
  let frame = 0;
  for (let at = 0; at < output.length; frame++) {
    const length = output[at]! | (output[at + 1]! << 8) | (output[at + 2]! << 16) | (output[at + 3]! << 24);
    tally.take(frame, TOPIC, 0, TOPIC.length, output, at + 4, at + 4 + length);
    at += 4 + length;
  }
}
