import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { resolveToolchain } from '../../scripts/wasm/toolchain.js';

/** A compiler as far as it says its name. */
function compiler(file: string, name: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${name}'\necho 'more about it'\n`);
  chmodSync(file, 0o755);
  return file;
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-tools-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('SLUICE_CXX goes before $EMSDK, that before em++ on PATH, and that before @yowasp/clang; the label is what it calls itself', async t => {
  const root = folder(t);
  const own = compiler(join(root, 'own/clang++'), 'my clang 1');
  compiler(join(root, 'emsdk/upstream/emscripten/em++'), 'emcc of emsdk');
  compiler(join(root, 'bin/em++'), 'emcc on PATH');
  const environment: Record<string, string> = {
    PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
    EMSDK: join(root, 'emsdk'),
    SLUICE_CXX: own,
  };
  const labels: string[] = [];
  for (const name of ['SLUICE_CXX', 'EMSDK', 'PATH']) {
    labels.push((await resolveToolchain(environment)).label);
    delete environment[name];
  }
  labels.push((await resolveToolchain(environment)).label.replace(/ .*/, ''));
  assert.deepEqual(labels, ['my clang 1', 'emcc of emsdk', 'emcc on PATH', '@yowasp/clang']);
});

test('a SLUICE_CXX that is not there is refused by its name', async () => {
  await assert.rejects(resolveToolchain({ SLUICE_CXX: '/nowhere/clang++' }), {
    code: 'SLUICE_PLUGIN_BUILD',
    message: /\/nowhere\/clang\+\+/,
  });
});
