/**
 * Debian's emscripten in a folder of its own, shaped as emsdk makes one. It is not installed: an `em++` on PATH would
 * become the compiler of every checkout on the machine. Its libraries for 750 MB are left out, as guests link none.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../wasm/package-root.js';

const FOLDER = join(PACKAGE_ROOT, 'node_modules/.cache/sluice-emscripten');
const PACKAGES = ['emscripten', 'binaryen'];
const LEFT_OUT = ['cache/sysroot/lib', 'tests'].map(path => `--exclude=./usr/share/emscripten/${path}`);

/** What $EMSDK may point to once `unpackEmscripten` was successful. */
export const EMSCRIPTEN_TREE = join(FOLDER, 'emsdk');

/** @returns false if it could not be fetched or unpacked; what failed has said why on standard error */
export function unpackEmscripten(): boolean {
  if (existsSync(EMSCRIPTEN_TREE)) return true;
  process.stderr.write(`test:peers fetches ${PACKAGES.join(', ')} (112 MB) into ${FOLDER}\n`);
  mkdirSync(FOLDER, { recursive: true });
  const work = mkdtempSync(join(FOLDER, 'work-'));
  try {
    if (!run(work, 'apt-get', '-q', 'download', ...PACKAGES)) return false;
    const root = join(FOLDER, 'root');
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root);
    for (const file of readdirSync(work)) if (!unpack(work, file, root)) return false;
    const tree = join(work, 'emsdk');
    writeTree(tree, root);
    // Last and at once: what is there is whole.
    renameSync(tree, EMSCRIPTEN_TREE);
    return true;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpack(work: string, file: string, root: string): boolean {
  // The shell is for the pipe only; what differs comes as arguments.
  const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" "$3" "$4"';
  return run(work, 'sh', '-c', script, 'sh', file, root, ...LEFT_OUT);
}

/** The configuration, but for the paths: a checkout may be moved, so the commands find those from where they lie. */
const CONFIG = `import os
ROOT = os.environ['EMSCRIPTEN_UNPACKED']
EMSCRIPTEN_ROOT = ROOT + '/usr/share/emscripten'
BINARYEN_ROOT = ROOT + '/usr'
LLVM_ROOT = '/usr/bin'
LLVM_ADD_VERSION = CLANG_ADD_VERSION = '14'
NODE_JS = 'node'
FROZEN_CACHE = True
`;

/** The commands that emsdk puts there. */
function writeTree(tree: string, root: string): void {
  writeFileSync(join(root, 'config.py'), CONFIG);
  const commands = join(tree, 'upstream/emscripten');
  mkdirSync(commands, { recursive: true });
  for (const name of ['em++', 'emcc', 'em-config']) {
    const script = `#!/bin/sh
export EMSCRIPTEN_UNPACKED="$(dirname "$(readlink -f "$0")")/../../../root"
export EM_CONFIG="$EMSCRIPTEN_UNPACKED/config.py"
exec python3 "$EMSCRIPTEN_UNPACKED/usr/share/emscripten/${name}.py" "$@"
`;
    writeFileSync(join(commands, name), script, { mode: 0o755 });
  }
}

function run(cwd: string, command: string, ...args: string[]): boolean {
  // Standard output belongs to the report of the tests.
  return spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2], timeout: 300_000 }).status === 0;
}
