import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { moduleKind, readSections } from '../../../runtime/index.js';
import { checkAgainstWasmparser } from '../../support/modules/oracle-check.js';
import { embeddedModules, moduleFiles } from '../../support/modules/real-modules.js';

const CORE_MODULE = 1;

/** A file if it is a core module; of a component the core modules in it. */
function coreModules(bytes: Uint8Array): Uint8Array[] {
  if (moduleKind(bytes) === 'core') return [bytes];
  return readSections(bytes).flatMap(({ id, start, end }) => {
    if (id === CORE_MODULE) return [bytes.slice(start, end)];
    return id === 4 ? coreModules(bytes.slice(start, end)) : [];
  });
}

for (const folder of ['../../../plugins/', '../../guests/', '../../bench/']) {
  const url = new URL(folder, import.meta.url);
  for (const file of await readdir(url)) {
    if (!file.endsWith('.wasm')) continue;
    test(`imports, limits and every instruction of ${file} are those that wasmparser reads`, async () => {
      for (const bytes of coreModules(await readFile(new URL(file, url)))) checkAgainstWasmparser(bytes);
    });
  }
}

test('real modules of npm packages: wasmparser reads the same imports, limits and instructions', async t => {
  for (const { name, bytes } of [...(await moduleFiles()), ...(await embeddedModules())]) {
    await t.test(`${name}, ${bytes.length} bytes`, () => checkAgainstWasmparser(bytes));
  }
});
