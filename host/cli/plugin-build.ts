import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fault, SluiceError } from '../../runtime/index.js';
import { EXIT } from './exit.js';

/** From dist/host/cli/; run, not imported: scripts/ is above this floor, and compilers need a process of their own. */
const BUILDER = fileURLToPath(new URL('../../scripts/build-plugin.js', import.meta.url));

interface Built {
  readonly out: string;
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * Compiles the plugin in `dir` (its plugin.json says what it is) into `dir`/build/NAME.wasm, manifest included.
 * @throws SluiceError of the build
 */
export async function buildPlugin(dir: string, options: { out?: string; json?: boolean }): Promise<number> {
  const name = await pluginName(join(dir, 'plugin.json'));
  const out = resolve(options.out ?? join(dir, 'build', `${name}.wasm`));
  await mkdir(dirname(out), { recursive: true });
  const built = await runBuilder(resolve(dir), out);
  process.stdout.write(
    options.json
      ? `${JSON.stringify(built)}\n`
      : `${built.out}: ${built.bytes} bytes, built in ${(built.milliseconds / 1000).toFixed(1)} s\n`,
  );
  return EXIT.ok;
}

async function pluginName(file: string): Promise<string> {
  try {
    const { name } = JSON.parse(await readFile(file, 'utf8')) as { name?: unknown };
    if (typeof name === 'string' && /^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
    throw new Error('its "name" is missing or no plugin name');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('SLUICE_MANIFEST_INVALID', `${file}: ${why}`, { cause });
  }
}

function runBuilder(dir: string, out: string): Promise<Built> {
  return new Promise((done, fail) => {
    execFile(process.execPath, [BUILDER, dir, out], { maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      const result = lastLine(stdout);
      if (result === undefined) {
        const why = stderr.trim() || error?.message || 'no answer';
        fail(new SluiceError('SLUICE_INTERNAL', `the build of ${dir} ended without a result: ${why}`));
      } else if ('fault' in result) fail(SluiceError.fromFault(result.fault));
      else done(result);
    });
  });
}

function lastLine(stdout: string): Built | { fault: Fault } | undefined {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Built | { fault: Fault };
  } catch {
    return undefined;
  }
}
