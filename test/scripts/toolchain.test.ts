import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildAll } from '../../scripts/wasm/build.js';
import { resolveToolchain, toolchainLabel } from '../../scripts/wasm/toolchain.js';

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
  const { label } = await resolveToolchain(environment);
  assert.equal(label, toolchainLabel(environment));
  labels.push(label.replace(/ .*/, ''));
  assert.deepEqual(labels, ['my clang 1', 'emcc of emsdk', 'emcc on PATH', '@yowasp/clang']);
});

test('a SLUICE_CXX that is not there is refused by its name', async () => {
  await assert.rejects(resolveToolchain({ SLUICE_CXX: '/nowhere/clang++' }), {
    code: 'SLUICE_PLUGIN_BUILD',
    message: /\/nowhere\/clang\+\+/,
  });
});

test('what another compiler has made is not up to date: a build with another SLUICE_CXX makes it again', async t => {
  const root = folder(t);
  const plugins = join(root, 'cpp-kernels/plugins');
  mkdirSync(plugins, { recursive: true });
  for (const empty of ['plugins-wasm', 'runtime', 'cpp-kernels/include', 'cpp-kernels/src'])
    mkdirSync(join(root, empty), { recursive: true });
  writeFileSync(join(root, 'runtime/plugin.wit'), '');
  writeFileSync(join(plugins, 'one.cpp'), '');
  const guest = { name: 'one', version: '1.0.0', kind: 'kernel', accepts: [], entry: 'one.cpp' };
  writeFileSync(join(plugins, 'plugins.json'), JSON.stringify([guest]));
  // Compiles and links by copying a module that is there.
  const module = 'printf "\\000asm\\001\\000\\000\\000"';
  const cxx = (name: string): string => {
    const file = join(root, name, 'clang++');
    mkdirSync(dirname(file), { recursive: true });
    const wasmLd = join(root, name, 'wasm-ld');
    writeFileSync(wasmLd, `#!/bin/sh\nfor to; do :; done\n${module} > "$to"\n`);
    writeFileSync(
      file,
      `#!/bin/sh\ncase "$1" in --version) echo ${name};; -print-prog-name=wasm-ld) echo ${wasmLd};; *) for to; do :; done; ${module} > "$to";; esac\n`,
    );
    for (const made of [file, wasmLd]) chmodSync(made, 0o755);
    return file;
  };
  const before = process.env.SLUICE_CXX;
  t.after(() => {
    if (before === undefined) delete process.env.SLUICE_CXX;
    else process.env.SLUICE_CXX = before;
  });
  const builds: boolean[] = [];
  for (const name of ['first', 'first', 'second']) {
    process.env.SLUICE_CXX = cxx(name);
    await buildAll({
      root,
      out: join(root, 'dist'),
      onGuest: (_, report) => builds.push(report !== undefined),
    });
  }
  assert.deepEqual(builds, [true, false, true]);
});
