import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../../../runtime/index.js';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-plugin-'));
after(() => rm(folder, { recursive: true }));

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FIELDS = { name: 'nothing', version: '1.2.3', abi: '0.1.0', kind: 'converter', accepts: ['modbus'] };
const BUILT = fileURLToPath(new URL('../../../plugins/modbus-json.wasm', import.meta.url));

async function put(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return name;
}

const run = (...args: string[]) => sluice(['plugin', ...args], { cwd: folder });

test('pack puts the manifest behind the module, and leaves nothing else in the folder', async () => {
  await put('a.wasm', EMPTY);
  await put('a.json', JSON.stringify(FIELDS));
  const { code, stdout } = await run(
    'pack',
    'a.wasm',
    '--manifest',
    'a.json',
    '--out',
    'packed.wasm',
    '--json',
  );
  assert.equal(code, 0);
  const packed = await readFile(join(folder, 'packed.wasm'));
  const found = readManifest(packed);
  assert.equal(found?.manifest.name, 'nothing');
  assert.equal(found?.end, EMPTY.length);
  assert.equal(JSON.parse(stdout).sha256, found?.manifest.sha256);
  assert.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.tmp')),
    [],
  );
});

test('pack refuses what a gateway would refuse, and writes nothing', async () => {
  await put('b.wasm', EMPTY);
  await put('b.json', JSON.stringify({ ...FIELDS, kind: 'convertr' }));
  const bad = await run('pack', 'b.wasm', '--manifest', 'b.json', '--out', 'b-packed.wasm');
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /kind.*\(SLUICE_MANIFEST_INVALID\)/);
  await put('no.json', 'no JSON');
  assert.match((await run('pack', 'b.wasm', '-m', 'no.json')).stderr, /SLUICE_MANIFEST_INVALID/);
  assert.match((await run('pack', 'nowhere.wasm', '-m', 'b.json')).stderr, /SLUICE_MODULE_UNREADABLE/);
  assert.ok(!(await readdir(folder)).includes('b-packed.wasm'));
  assert.deepEqual(new Uint8Array(await readFile(join(folder, 'b.wasm'))), EMPTY);
});

test('check says what a plugin is, what it imports and exports', async () => {
  const { code, stdout } = await run('check', BUILT, '--json');
  assert.equal(code, 0);
  const report = JSON.parse(stdout) as { manifest: { name: string }; exports: string[]; imports: string[] };
  assert.equal(report.manifest.name, 'modbus-json');
  for (const name of ['memory (memory)', 'sluice_arena (function)', 'convert (function)']) {
    assert.ok(report.exports.includes(name), name);
  }
  assert.match((await run('check', BUILT)).stdout, /: ok\n {2}plugin {4}modbus-json .*converter/);
});

test('check refuses by the code that the gateway would refuse by', async () => {
  const good = await readFile(BUILT);
  const damaged = new Uint8Array(good);
  damaged[good.indexOf('sluice_arena')]! ^= 1;
  const cases: [string, string | Uint8Array, RegExp][] = [
    ['empty.wasm', '', /SLUICE_MODULE_NOT_WASM/],
    ['text.wasm', 'hello, world', /SLUICE_MODULE_NOT_WASM/],
    ['cut.wasm', good.subarray(0, 100), /SLUICE_MODULE_MALFORMED/],
    ['plain.wasm', EMPTY, /SLUICE_MANIFEST_MISSING/],
    ['damaged.wasm', damaged, /SLUICE_MODULE_HASH/],
  ];
  for (const [name, content, expected] of cases) {
    const { code, stderr } = await run('check', await put(name, content));
    assert.equal(code, 1, name);
    assert.match(stderr, expected, name);
  }
  const { code, stderr } = await run('check', BUILT, '--memory', '1B');
  assert.equal(code, 1);
  assert.match(stderr, /SLUICE_MODULE_MEMORY/);
});

test('check of a module without the exports of its kind names them', async () => {
  await put('c.wasm', EMPTY);
  await put('c.json', JSON.stringify(FIELDS));
  await run('pack', 'c.wasm', '-m', 'c.json');
  const { code, stderr } = await run('check', 'c.wasm');
  assert.equal(code, 1);
  assert.match(stderr, /does not export its memory.*SLUICE_MODULE_EXPORT/);
});

test('a size that is none is a usage error', async () => {
  assert.equal((await run('check', BUILT, '--memory', 'much')).code, 2);
});

test('build compiles a folder into a packed plugin that check takes', async () => {
  const source = fileURLToPath(new URL('../../../../plugins-wasm/modbus-json', import.meta.url));
  const { code, stdout, stderr } = await run('build', source, '--out', 'built.wasm', '--json');
  assert.equal(code, 0, stderr);
  assert.ok(JSON.parse(stdout).bytes > 500);
  assert.equal((await run('check', 'built.wasm')).code, 0);
});

test('build of a folder without plugin.json says so', async () => {
  const { code, stderr } = await run('build', '.');
  assert.equal(code, 1);
  assert.match(stderr, /plugin\.json.*SLUICE_MANIFEST_INVALID/);
});
