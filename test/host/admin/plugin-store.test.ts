import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PluginStore } from '../../../host/admin/plugins/plugin-store.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

test('what is kept of a plugin and is damaged is renamed and told of; what is kept of others is there', async t => {
  const data = await tempFolder(t);
  const folder = join(data, 'plugins');
  await mkdir(folder);
  const previous = { version: '1.0.0', sha256: 'a', file: 'b' };
  await writeFile(join(folder, 'whole.json'), JSON.stringify({ previous }));
  for (const [name, text] of [
    ['cut', '{"previous":{"ver'],
    ['none', 'null'],
    ['wrong', '{"takenBack":1}'],
  ] as const)
    await writeFile(join(folder, `${name}.json`), text);
  const store = new PluginStore(data);
  const told: string[] = [];
  await store.open(plugin => told.push(plugin));
  assert.deepEqual(told.sort(), ['cut', 'none', 'wrong']);
  assert.deepEqual(store.previous('whole'), previous);
  assert.equal(store.previous('none'), undefined);
  const names = (await readdir(folder)).map(name => name.replace(/-\d.*$/, ''));
  assert.deepEqual(names.sort(), [
    'cut.json.damaged',
    'none.json.damaged',
    'whole.json',
    'wrong.json.damaged',
  ]);
});

test('what is kept of a plugin, is damaged and cannot be renamed is told of under the name that it has still', async t => {
  const data = await tempFolder(t);
  const folder = join(data, 'plugins');
  await mkdir(folder);
  // No more bytes fit the name of a file.
  const path = join(folder, `${'a'.repeat(245)}.json`);
  await writeFile(path, '{');
  const told: string[] = [];
  await new PluginStore(data).open((_plugin, file) => told.push(file));
  assert.deepEqual(told, [path]);
});
