import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readDescription } from '../../../host/plugin-tools/description.js';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-plugin-'));
after(() => rm(folder, { recursive: true }));

async function put(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return name;
}

const run = (...args: string[]) => sluice(['plugin', ...args], { cwd: folder });

test('build compiles a folder into a packed plugin that check takes', async () => {
  const source = fileURLToPath(new URL('../../../../plugins-wasm/modbus-json', import.meta.url));
  const { code, stdout, stderr } = await run('build', source, '--out', 'built.wasm', '--json');
  assert.equal(code, 0, stderr);
  assert.ok(JSON.parse(stdout).bytes > 500);
  assert.equal((await run('check', 'built.wasm')).code, 0);
});

test('build of a folder without plugin.json says so, and what makes one', async () => {
  const { code, stderr } = await run('build', '.');
  assert.equal(code, 1);
  assert.match(stderr, /plugin\.json: there is no such file; .*plugin new.*SLUICE_MANIFEST_INVALID/);
});

const SOURCE = fileURLToPath(new URL('../../../../plugins-wasm/modbus-json/plugin.json', import.meta.url));

test('build names the field of plugin.json that is wrong, and what was meant, before it compiles', async () => {
  const good = { ...JSON.parse(await readFile(SOURCE, 'utf8')), entry: 'nowhere.c' };
  const { accepts, entry, ...without } = good;
  const cases: [object, RegExp][] = [
    [{ ...good, kind: 'convertor' }, /kind: "convertor" is not one of .*; did you mean "converter"\?/],
    [{ ...without, entry, accept: accepts }, /accept: is not known; did you mean "accepts"\?/],
    [{ ...good, version: '1.0' }, /version: "1.0" is not a semantic version/],
    [{ ...good, limits: { memmory: 1 } }, /limits\.memmory: is not known; did you mean "memory"\?/],
    [{ ...good, zzz: 1 }, /zzz: is not known; known are name, version/],
    [{ ...without, accepts }, /entry: is missing/],
    [{ ...good, entry: 'main.rs' }, /entry: is not the name of a source/],
    [{ ...good, component: 'yes' }, /component: is not true or false/],
    [{ ...good, defines: [1] }, /defines: is not a list of texts/],
    [[], /it is not an object/],
  ];
  await mkdir(join(folder, 'wrong'), { recursive: true });
  for (const [fields, words] of cases) {
    await put('wrong/plugin.json', JSON.stringify(fields));
    await assert.rejects(readDescription(join(folder, 'wrong')), words);
  }
  const { code, stderr } = await run('build', 'wrong');
  assert.equal(code, 1);
  assert.match(stderr, /it is not an object \(SLUICE_MANIFEST_INVALID\)/);
});

test('build refuses what a gateway would refuse, and writes nothing', async () => {
  await mkdir(join(folder, 'refused'), { recursive: true });
  const fields = { name: 'refused', version: '1.0.0', kind: 'converter', accepts: [], entry: 'a.wat' };
  await put('refused/plugin.json', JSON.stringify(fields));
  await put('refused/a.wat', '(module (memory (export "memory") 1))');
  const { code, stderr } = await run('build', 'refused');
  assert.equal(code, 1);
  assert.match(stderr, /exports of a converter: sluice_arena is missing.*SLUICE_MODULE_EXPORT/);
  assert.deepEqual(await readdir(join(folder, 'refused/build')), []);
});

test('build refuses managed objects of AssemblyScript with their line', async () => {
  await mkdir(join(folder, 'managed'), { recursive: true });
  const fields = { name: 'managed', version: '1.0.0', kind: 'converter', accepts: [], entry: 'index.ts' };
  await put('managed/plugin.json', JSON.stringify(fields));
  await put(
    'managed/index.ts',
    [
      'import { answer, each, flushed, Frame, Result, Text } from "sluice/as";',
      'export { sluice_arena, sluice_arena_end } from "sluice/as";',
      'export function configure(at: usize, length: u32): usize { return answer(at, length, (c: Text, r: Result) => r.ok()); }',
      'export function convert(frames: usize, count: u32): usize {',
      '  return each(frames, count, (frame: Frame, result: Result) => {',
      '    const name = "frame " + count_.toString();',
      '    if (name.length > 0) result.ok();',
      '  });',
      '}',
      'let count_: u32 = 0;',
      'export function flush(now: u64): usize { return flushed(); }',
    ].join('\n'),
  );
  const { code, stderr } = await run('build', 'managed');
  assert.equal(code, 1);
  assert.match(stderr, /index\.ts:6:\d+ {2}by ~lib\/string[\s\S]*SLUICE_PLUGIN_BUILD/);
});

test('build says that there is no libc', async () => {
  await mkdir(join(folder, 'libc'), { recursive: true });
  const fields = { name: 'libc', version: '1.0.0', kind: 'converter', accepts: [], entry: 'a.c' };
  await put('libc/plugin.json', JSON.stringify(fields));
  await put('libc/a.c', '#include <string.h>\n');
  const { stderr } = await run('build', 'libc');
  assert.match(stderr, /string\.h' file not found[\s\S]*There is no libc.*cpp-kernels\/include\/README\.md/);
});
