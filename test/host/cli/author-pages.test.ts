import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-pages-'));
after(() => rm(folder, { recursive: true }));

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** The blocks of code of a page in one language. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(ROOT, page), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code ?? '',
  );
}

/** Builds the code as an author would, and runs one frame through it. */
async function run(kind: string, entry: string, code: string, args: readonly string[]): Promise<string> {
  const name = entry.replace(/\W/g, '-');
  await mkdir(dirname(join(folder, name, entry)), { recursive: true });
  await writeFile(join(folder, name, entry), code);
  const fields = { name: 'page', version: '1.0.0', kind, accepts: [], entry };
  await writeFile(join(folder, name, 'plugin.json'), JSON.stringify(fields));
  const built = await sluice(['plugin', 'build', name], { cwd: folder });
  assert.equal(built.code, 0, built.stderr);
  const {
    code: exit,
    stdout,
    stderr,
  } = await sluice(['plugin', 'call', `${name}/build/page.wasm`, ...args], {
    cwd: folder,
  });
  assert.equal(exit, 0, stderr);
  return stdout;
}

test('the converters of the page for authors build and say the same', async () => {
  const page = 'plugins-wasm/README.md';
  const [script = ''] = await blocks(page, 'ts');
  const [cpp = ''] = await blocks(page, 'cpp');
  const args = ['--hex', '0102'];
  assert.match(
    await run(
      'converter',
      'assembly/index.ts',
      script.replaceAll('../../sdk-as/assembly', 'sluice/as'),
      args,
    ),
    /\{"level":258\}/,
  );
  assert.match(await run('converter', 'level.cpp', cpp, args), /\{"level":258\}/);
});

test('the kernel of the page for C and C++ builds, reads its configuration, and takes bytes', async () => {
  const [configure = '', process = ''] = await blocks('cpp-kernels/include/README.md', 'cpp');
  const code = `#include "sluice-json.h"\n#include "sluice.h"\n${configure}${process}`;
  // 1 and 2 in, half of them out.
  const args = ['--hex', '0000803f 00000040', '--config', '{"scale":0.5}'];
  assert.match(await run('kernel', 'gain.cpp', code, args), /hex:00 00 00 3f 00 00 80 3f/);
});

test('the way of a frame in host/README.md names files and functions that there are', async () => {
  const page = await readFile(join(ROOT, 'host/README.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `((?:host|sandbox|runtime)\/[\w/-]+\.ts)` \| (.*) \|$/gm)];
  assert.ok(rows.length >= 9);
  for (const [, file = '', text = ''] of rows) {
    const source = await readFile(join(ROOT, file), 'utf8');
    const [, ...names] = text.split(/`(?=#?\w+\(\)`)/);
    assert.ok(names.length > 0, file);
    for (const name of names) {
      const begin = name.slice(0, name.indexOf('('));
      assert.ok(new RegExp(`(^|\\W)${begin}\\(`, 'm').test(source), `${file} has no ${begin}()`);
    }
  }
});

test('the tables of the SDKs name all that there is', async () => {
  const page = async (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
  const as = await page('plugins-wasm/sdk-as/README.md');
  const index = await page('plugins-wasm/sdk-as/assembly/index.ts');
  const names = [...index.matchAll(/export \{([^}]*)\}/g)].flatMap(
    ([, list = '']) => list.match(/\w+/g) ?? [],
  );
  assert.ok(names.length > 30);
  for (const name of names) assert.ok(as.includes(name), `sdk-as/README.md has no ${name}`);
  const cpp = await page('cpp-kernels/include/README.md');
  for (const header of ['sluice.h', 'sluice-json.h']) {
    const text = await page(`cpp-kernels/include/${header}`);
    const functions = text.matchAll(/^SLUICE__(?:INLINE|FAR) [\w *]*?\b(sluice_[a-z]\w*)\(/gm);
    for (const [, name = ''] of functions)
      assert.ok(cpp.includes(name), `cpp-kernels/include/README.md has no ${name}`);
  }
});
