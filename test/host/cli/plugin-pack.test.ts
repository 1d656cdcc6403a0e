import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readManifest } from '../../../runtime/index.js';
import { sluice } from './support.js';

const folder = await mkdtemp(join(tmpdir(), 'sluice-plugin-'));
after(() => rm(folder, { recursive: true }));

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const FIELDS = { name: 'nothing', version: '1.2.3', abi: '1.0.0', kind: 'converter', accepts: ['modbus'] };

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
