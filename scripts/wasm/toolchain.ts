/**
 * Finds a C++ compiler for WebAssembly: SLUICE_CXX, then $EMSDK, then em++ on PATH, then @yowasp/clang,
 * which `npm ci` brings along. All four only compile; the linker is called by itself, so that no
 * wasm-opt that happens to lie on PATH rewrites the result.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { SluiceError } from '../../runtime/index.js';

export interface CompileRequest {
  /** Path of the .c or .cpp file. */
  readonly source: string;
  /** Folders for #include. */
  readonly include: readonly string[];
  readonly flags: readonly string[];
}

export interface Toolchain {
  /** For the manifest. */
  readonly label: string;
  /** To an object file. @throws SluiceError SLUICE_PLUGIN_BUILD with the compiler's own words */
  compile(request: CompileRequest): Promise<Uint8Array>;
  /** One object file to a module. @throws SluiceError SLUICE_PLUGIN_BUILD with the linker's own words */
  link(object: Uint8Array, flags: readonly string[]): Promise<Uint8Array>;
}

export async function resolveToolchain(env: NodeJS.ProcessEnv = process.env): Promise<Toolchain> {
  const native = findNative(env);
  if (native !== undefined) return nativeToolchain(native);
  try {
    const { yowaspToolchain } = await import('./yowasp.js');
    return yowaspToolchain();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw thrown;
    throw toolMissing('no em++ on PATH, no SLUICE_CXX, and no package @yowasp/clang', '@yowasp/clang');
  }
}

/** What the manifest of a C or C++ guest would name now; undefined: there is no compiler. Loads none. */
export function toolchainLabel(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const native = findNative(env);
  return native === undefined ? yowaspLabel() : labelOf(native);
}

/** Undefined: the package is not installed. */
export function yowaspLabel(): string | undefined {
  try {
    const file = new URL('../package.json', import.meta.resolve('@yowasp/clang'));
    return `@yowasp/clang ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
  } catch {
    return undefined;
  }
}

/** The first line of what it says of itself. */
function labelOf(cxx: string): string {
  return run(cxx, ['--version']).split('\n')[0] ?? cxx;
}

/** What it prints. @throws SluiceError SLUICE_PLUGIN_BUILD */
function run(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw buildFailed(command, stderr || message);
  }
}

function findNative(env: NodeJS.ProcessEnv): string | undefined {
  if (env.SLUICE_CXX !== undefined && env.SLUICE_CXX !== '') return env.SLUICE_CXX;
  const folders = (env.PATH ?? '').split(delimiter).filter(folder => folder !== '');
  if (env.EMSDK !== undefined) folders.unshift(join(env.EMSDK, 'upstream/emscripten'));
  return folders.map(folder => join(folder, 'em++')).find(file => existsSync(file));
}

/** An em++ or a clang++ that knows wasm32. */
function nativeToolchain(cxx: string): Toolchain {
  const isEmscripten = /em(?:\+\+|cc)$/.test(cxx);
  const wasmLd = linkersOf(cxx, isEmscripten).find(existsSync) ?? 'wasm-ld';
  return {
    label: labelOf(cxx),
    async compile({ source, include, flags }) {
      return inFolder(work => {
        const object = join(work, 'guest.o');
        const language = source.endsWith('.c') ? ['-x', 'c'] : ['-x', 'c++'];
        const target = isEmscripten ? [] : ['--target=wasm32'];
        run(cxx, [
          ...target,
          ...flags,
          ...include.map(path => `-I${path}`),
          ...language,
          '-c',
          source,
          '-o',
          object,
        ]);
        return object;
      });
    },
    async link(object, flags) {
      return inFolder(work => {
        const [from, to] = [join(work, 'guest.o'), join(work, 'guest.wasm')];
        writeFileSync(from, object);
        run(wasmLd, [...flags, from, '-o', to]);
        return to;
      });
    },
  };
}

/** Where the linker of a compiler may be. */
function linkersOf(cxx: string, isEmscripten: boolean): string[] {
  const ask = (command: string, ...args: string[]): string => {
    try {
      return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      return '';
    }
  };
  // Newer ones answer for the clang that they wrap.
  const own = [ask(cxx, '-print-prog-name=wasm-ld'), join(dirname(cxx), '../bin/wasm-ld')];
  if (!isEmscripten) return own;
  const config = join(dirname(realpathSync(cxx)), 'em-config');
  const tool = existsSync(config) ? config : 'em-config';
  const [root, version] = ['LLVM_ROOT', 'LLVM_ADD_VERSION'].map(name => ask(tool, name));
  // Debian's has the version in the names of its tools.
  return [...own, join(`${root}`, `wasm-ld-${version}`), join(`${root}`, 'wasm-ld')];
}

/** The bytes of the file that `work` makes in a folder of its own. */
function inFolder(work: (folder: string) => string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-build-'));
  try {
    return new Uint8Array(readFileSync(work(folder)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A compiler that would have to come from npm does not. */
export function toolMissing(what: string, tool: string): SluiceError {
  return new SluiceError('SLUICE_PLUGIN_TOOLS', `${what}: run npm i -D ${tool}@${wantedVersion(tool)}`);
}

/** The version that this package is tested with; its own package.json names it. */
function wantedVersion(tool: string): string {
  const file = new URL('../../../package.json', import.meta.url);
  const { devDependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as {
    devDependencies?: Record<string, string>;
  };
  return devDependencies[tool] ?? 'latest';
}

export function buildFailed(what: string, words: string): SluiceError {
  return new SluiceError('SLUICE_PLUGIN_BUILD', `${what}:\n${words.trim()}${hintFor(words)}`);
}

/** A header or a function of libc: the words of a compiler do not say that there is none. */
const LIBC = /'[\w/.]+' file not found|undefined symbol: \w+/;

function hintFor(words: string): string {
  if (!LIBC.test(words)) return '';
  return (
    '\nThere is no libc and no libc++: sluice.h brings memcpy, memmove, memset, memcmp and strlen without further' +
    ' headers, and writers and readers for texts, numbers and JSON (cpp-kernels/include/README.md); other headers than those of' +
    ' the compiler itself have to lie beside the source'
  );
}
