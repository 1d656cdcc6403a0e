import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fault, SluiceError } from '../../runtime/index.js';
import { readDescription } from './description.js';

/** From dist/host/plugin-tools/; run, not imported: scripts/ is above this floor, and compilers need a process of their own. */
const BUILDER = fileURLToPath(new URL('../../scripts/build-plugin.js', import.meta.url));

/** LLVM as wasm runs for a few seconds: optimising it first costs twice what it saves. */
const FLAGS = ['--liftoff-only'];

export interface Built {
  /** The packed plugin. */
  readonly out: string;
  readonly bytes: number;
  /** 0: it was up to date. */
  readonly milliseconds: number;
}

/**
 * Compiles the plugin in `dir` (its plugin.json says what it is) into `out`, by default `dir`/build/NAME.wasm,
 * manifest included; what a gateway would refuse is not written. With `onlyStale` what was made from the same source by the same builder is left as it is.
 * @throws SluiceError SLUICE_MANIFEST_INVALID, SLUICE_PLUGIN_BUILD, SLUICE_PLUGIN_TOOLS, SLUICE_MODULE_* of the admission
 */
export async function buildFolder(
  dir: string,
  options: { readonly out?: string | undefined; readonly onlyStale?: boolean } = {},
): Promise<Built> {
  const { name } = await readDescription(dir);
  const out = resolve(options.out ?? join(dir, 'build', `${name}.wasm`));
  await mkdir(dirname(out), { recursive: true });
  return runBuilder([resolve(dir), out, ...(options.onlyStale === true ? ['--only-stale'] : [])]);
}

function runBuilder(args: readonly string[]): Promise<Built> {
  return new Promise((done, fail) => {
    execFile(
      process.execPath,
      [...FLAGS, BUILDER, ...args],
      { maxBuffer: 16 << 20 },
      (error, stdout, stderr) => {
        const result = lastLine(stdout);
        if (result === undefined) {
          const why = stderr.trim() || error?.message || 'no answer';
          fail(new SluiceError('SLUICE_INTERNAL', `the build of ${args[0]} ended without a result: ${why}`));
        } else if ('fault' in result) fail(SluiceError.fromFault(result.fault));
        else done(result);
      },
    );
  });
}

function lastLine(stdout: string): Built | { fault: Fault } | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Built | { fault: Fault };
  } catch {
    return undefined;
  }
}
