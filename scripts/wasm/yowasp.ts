/** LLVM as WebAssembly, from npm. It sees a virtual file system, so sources are handed over as texts. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { commands, Exit, runLLVM, type Tree } from '@yowasp/clang';
import { buildFailed, type Toolchain, yowaspLabel } from './toolchain.js';

export function yowaspToolchain(): Toolchain {
  return {
    label: yowaspLabel() ?? '@yowasp/clang',
    async compile({ source, include, flags }) {
      const files: Tree = { source: sourcesIn(dirname(source)) };
      const includes = include.map((folder, i) => {
        files[`include${i}`] = sourcesIn(folder);
        return `-Iinclude${i}`;
      });
      const compiler = source.endsWith('.c') ? 'clang' : 'clang++';
      const input = `source/${basename(source)}`;
      const compiled = await run(
        compiler,
        ['--target=wasm32', ...flags, ...includes, '-c', input, '-o', 'guest.o'],
        files,
      );
      return compiled['guest.o'] as Uint8Array;
    },
    async link(object, flags) {
      const linked = await run('wasm-ld', [...flags, 'guest.o', '-o', 'guest.wasm'], { 'guest.o': object });
      return linked['guest.wasm'] as Uint8Array;
    },
  };
}

async function run(command: 'clang' | 'clang++' | 'wasm-ld', args: string[], files: Tree): Promise<Tree> {
  let words = '';
  const decoder = new TextDecoder();
  const listen = (bytes: Uint8Array | null): void => {
    if (bytes !== null) words += decoder.decode(bytes, { stream: true });
  };
  // Loads LLVM once, without its progress lines.
  await runLLVM(undefined, {}, { fetchProgress: () => {} });
  try {
    const tree = await commands[command](args, files, {
      stdout: listen,
      stderr: listen,
      fetchProgress: () => {},
    });
    if (words !== '') process.stderr.write(words);
    return tree ?? {};
  } catch (error) {
    if (error instanceof Exit) throw buildFailed(`${command} ${args.join(' ')}`, words);
    throw error;
  }
}

/** The C and C++ files of one folder. */
function sourcesIn(folder: string): Tree {
  const names = readdirSync(folder).filter(name => /\.(?:cpp|c|h)$/.test(name));
  return Object.fromEntries(names.map(name => [name, readFileSync(join(folder, name), 'utf8')]));
}
