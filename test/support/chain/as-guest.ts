import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileGuest } from '../../../scripts/wasm/compile.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** AssemblyScript as the build compiles it, without a manifest. It imports the SDK as `sluice/as`; `more` are further files. */
export async function compileAs(
  source: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-as-'));
  try {
    for (const [name, text] of Object.entries({ ...more, 'index.ts': source }))
      await writeFile(join(folder, name), text);
    const description = {
      name: 'test',
      version: '1.0.0',
      kind: 'converter',
      accepts: [],
      entry: 'index.ts',
    } as const;
    const job = { description, folder, root: ROOT, out: '', source: '', vectors: [] };
    return new Uint8Array((await compileGuest(job)).bytes);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A module whose functions answer with a `Text`. */
export class TextGuest {
  readonly #exports: Record<string, unknown>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const root = { log: (): void => {} };
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), { $root: root }).exports;
  }

  /** One call: `input` is lent to the guest, and handed over as address and length in front of `args`. */
  call(name: string, args: readonly (number | bigint)[], input?: Uint8Array): Buffer {
    const arena = this.#exports.sluice_arena as (size: number) => number;
    const at = arena(input?.length ?? 0);
    if (input !== undefined) this.#memory().set(input, at);
    const place = input === undefined ? [] : [at, input.length];
    const run = this.#exports[name] as (...args: (number | bigint)[]) => bigint;
    const text = BigInt.asUintN(64, run(...place, ...args));
    const start = Number(text & 0xffffffffn);
    return Buffer.from(this.#memory().subarray(start, start + Number(text >> 32n)));
  }

  #memory(): Buffer {
    return Buffer.from((this.#exports.memory as WebAssembly.Memory).buffer);
  }
}
