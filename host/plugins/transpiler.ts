import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ErrorCode, SluiceError } from '../../runtime/index.js';
import type { ComponentCode } from '../../sandbox/index.js';

/** How long a transpilation may take; the first in a process takes half a second. */
const PATIENCE_MS = 60_000;
/** Children at once: each takes 100 MB, and one that hangs must not keep others waiting. */
const MOST_CHILDREN = 2;

/**
 * Turns components into a script and core modules, once for each SHA-256: the result is kept in a folder
 * named by it. The work is done in a child process, which does not run under our V8 flags and whose
 * 100 MB of tools go with it.
 */
export class Transpiler {
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();
  /** Components that wait for a child to end. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #count = 0;
  #stopped = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws SluiceError SLUICE_COMPONENT_TOOLS, SLUICE_COMPONENT_TRANSPILE, SLUICE_MODULE_* */
  async transpile(plugin: string, bytes: Uint8Array, sha256: string): Promise<ComponentCode> {
    const folder = join(this.#folder, sha256);
    const known = await load(folder);
    if (known !== undefined) return known;
    const work = join(this.#folder, `${sha256}.${process.pid}.${this.#count++}`);
    try {
      await mkdir(work, { recursive: true });
      await writeFile(join(work, 'component.wasm'), bytes);
      await this.#inTurn(() => this.#run(plugin, work));
      await rm(join(work, 'component.wasm'));
      // Another gateway may have been faster: its result is the same. One without the list of imports is older.
      await rename(work, folder).catch(async () => {
        if ((await load(folder)) !== undefined) return;
        await rm(folder, { recursive: true, force: true });
        await rename(work, folder);
      });
    } catch (thrown) {
      if (thrown instanceof SluiceError) throw thrown;
      throw failed(plugin, 'SLUICE_COMPONENT_TRANSPILE', (thrown as Error).message);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const made = await load(folder);
    if (made === undefined) throw failed(plugin, 'SLUICE_COMPONENT_TRANSPILE', 'no script came out');
    return made;
  }

  /** Ends what is under way; nothing is transpiled after that. */
  stop(): void {
    this.#stopped = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#running < MOST_CHILDREN) this.#running++;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #run(plugin: string, folder: string): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        reject(failed(plugin, 'SLUICE_COMPONENT_TRANSPILE', 'the gateway stops'));
        return;
      }
      const child = fork(new URL('./transpile-child.js', import.meta.url), [folder], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      });
      this.#children.add(child);
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
      const over = (done: boolean): void => {
        clearTimeout(timer);
        this.#children.delete(child);
        if (done) resolve();
        else reject(failed(plugin, failure.code, failure.message));
      };
      // No process could be had at all: then there is no exit.
      child.on('error', error => {
        failure = { code: 'SLUICE_COMPONENT_TRANSPILE', message: error.message };
        over(false);
      });
      child.on('exit', code => over(code === 0));
    });
  }
}

function failed(plugin: string, code: Failure['code'], message: string): SluiceError {
  return new SluiceError(code, `${plugin}: ${message}`, { step: 'compile', plugin });
}

async function load(folder: string): Promise<ComponentCode | undefined> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return undefined;
  }
  if (!names.includes(SCRIPT) || !names.includes(IMPORTS)) return undefined;
  const modules: Record<string, Uint8Array> = {};
  for (const name of names) if (name.endsWith('.wasm')) modules[name] = await readFile(join(folder, name));
  const imports = JSON.parse(await readFile(join(folder, IMPORTS), 'utf8')) as string[];
  return { format: 'component', script: pathToFileURL(join(folder, SCRIPT)).href, modules, imports };
}

const SCRIPT = 'plugin.js';
/** What the component itself imports: the policy judges it, not what its core modules are given by the script. */
const IMPORTS = 'imports.json';

/** What the child says when it has failed. */
interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}
