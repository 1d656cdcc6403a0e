import { fork } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SluiceError } from '../../runtime/index.js';
import type { ComponentCode } from '../../sandbox/index.js';

/** How long a transpilation may take; the first in a process takes half a second. */
const PATIENCE_MS = 60_000;

/**
 * Turns components into a script and core modules, once for each SHA-256: the result is kept in a folder
 * named by it. The work is done in a child process, which does not run under our V8 flags and whose
 * 100 MB of tools go with it.
 */
export class Transpiler {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws SluiceError SLUICE_COMPONENT_TOOLS, SLUICE_COMPONENT_TRANSPILE */
  async transpile(plugin: string, bytes: Uint8Array, sha256: string): Promise<ComponentCode> {
    const folder = join(this.#folder, sha256);
    const known = await load(folder);
    if (known !== undefined) return known;
    const work = join(this.#folder, `${sha256}.${process.pid}.${Date.now()}`);
    await mkdir(work, { recursive: true });
    try {
      await writeFile(join(work, 'component.wasm'), bytes);
      await runChild(plugin, work);
      await rm(join(work, 'component.wasm'));
      // Another gateway may have been faster: its result is the same.
      await rename(work, folder).catch(() => {});
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const made = await load(folder);
    if (made === undefined)
      throw new SluiceError('SLUICE_COMPONENT_TRANSPILE', `${plugin}: no script came out`, { plugin });
    return made;
  }
}

async function load(folder: string): Promise<ComponentCode | undefined> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return undefined;
  }
  if (!names.includes(SCRIPT)) return undefined;
  const modules: Record<string, Uint8Array> = {};
  for (const name of names) if (name.endsWith('.wasm')) modules[name] = await readFile(join(folder, name));
  return { format: 'component', script: pathToFileURL(join(folder, SCRIPT)).href, modules };
}

const SCRIPT = 'plugin.js';

/** What the child says when it has failed. */
interface Failure {
  readonly code: 'SLUICE_COMPONENT_TOOLS' | 'SLUICE_COMPONENT_TRANSPILE';
  readonly message: string;
}

function runChild(plugin: string, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./transpile-child.js', import.meta.url), [folder], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let failure: Failure = {
      code: 'SLUICE_COMPONENT_TRANSPILE',
      message: 'the transpiler ended without a word',
    };
    const timer = setTimeout(() => {
      failure = { code: 'SLUICE_COMPONENT_TRANSPILE', message: `not done after ${PATIENCE_MS} ms` };
      child.kill('SIGKILL');
    }, PATIENCE_MS);
    child.on('message', said => {
      failure = said as Failure;
    });
    child.on('exit', code => {
      clearTimeout(timer);
      if (code === 0) resolve();
      else
        reject(new SluiceError(failure.code, `${plugin}: ${failure.message}`, { step: 'compile', plugin }));
    });
  });
}
