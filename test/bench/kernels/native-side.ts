import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Arena, Argument, Call, Place } from './arena.js';
import type { Side, Timed } from './side.js';

/** This file is dist/test/bench/kernels/native-side.js. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** LLVM first, as the modules are built with it. */
const COMPILERS = ['clang++-19', 'clang++-18', 'clang++-17', 'clang++-16', 'clang++-15', 'clang++', 'g++'];

export interface NativeCompiler {
  readonly command: string;
  /** First line of --version. */
  readonly version: string;
}

/** SLUICE_NATIVE_CXX, else the first of the usual ones that is there. */
export function nativeCompiler(): NativeCompiler | undefined {
  const own = process.env.SLUICE_NATIVE_CXX;
  for (const command of own === undefined ? COMPILERS : [own]) {
    try {
      const said = execFileSync(command, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return { command, version: said.split('\n')[0] ?? command };
    } catch {}
  }
  return undefined;
}

/** The same kernels as a native program; `flags` say for what. */
export class NativeSide implements Side {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** @param folder where the program goes @throws Error the compiler refuses */
  static build(compiler: NativeCompiler, folder: string, name: string, flags: readonly string[]): NativeSide {
    const program = join(folder, name);
    const source = join(ROOT, 'test/bench/kernels/native/server.cpp');
    const include = ['src', 'include'].map(part => `-I${join(ROOT, 'cpp-kernels', part)}`);
    execFileSync(
      compiler.command,
      ['-std=c++20', '-O3', '-ffp-contract=off', ...flags, ...include, source, '-ldl', '-o', program],
      { stdio: ['ignore', 2, 2] },
    );
    return new NativeSide(spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  async load(arena: Arena): Promise<void> {
    for (const { place, bytes } of arena.contents)
      await this.#ask(`put ${place.at} ${Buffer.from(bytes).toString('hex')}`);
  }

  async time({ kernel, args }: Call, count: number): Promise<Timed> {
    const said = await this.#ask(['time', kernel, count, ...args.map(word)].join(' '));
    const [answer = Number.NaN, nanoseconds = Number.NaN] = said.split(' ').map(Number);
    return { answer, nanoseconds };
  }

  async read({ at, bytes }: Place): Promise<Uint8Array> {
    return Buffer.from(await this.#ask(`get ${at} ${bytes}`), 'hex');
  }

  /** How the system's fftw was built; empty where there is none. */
  fftw(): Promise<string> {
    return this.#ask('simd');
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`the native program ended at ${line.slice(0, 60)}`);
    return value as string;
  }
}

function word(value: Argument): string {
  if (typeof value === 'number') return String(value);
  return 'double' in value ? `d${value.double}` : `p${value.at}`;
}
