import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DataFolder } from '../../../host/store/data-folder.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { LogBook, makeGateway, modbus, startGateway, tempFolder } from '../../support/gateway/gateway-rig.js';

const HOLDER = new URL('./data-folder-holder.js', import.meta.url);

async function folderRig(t: TestContext) {
  const book = new LogBook();
  return { book, path: join(await tempFolder(t), 'data'), report: new Reporter(book.log) };
}

/** Another process that has the folder. */
async function holder(t: TestContext, path: string) {
  const child = spawn(process.execPath, [HOLDER.pathname, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('starts are counted, and the name of the gateway stays', async t => {
  const { path, report } = await folderRig(t);
  const first = await DataFolder.open(path, report);
  first.close();
  const second = await DataFolder.open(path, report);
  second.close();
  assert.deepEqual([first.epoch, second.epoch], ['1', '2']);
  assert.equal(first.gateway, second.gateway);
  assert.match(first.gateway, /^[A-Za-z0-9._-]+-[0-9a-f]{4}$/);
});

test('a second gateway on the folder is refused, in words that name the first', async t => {
  const { path, report } = await folderRig(t);
  const child = await holder(t, path);
  await assert.rejects(DataFolder.open(path, report), {
    code: 'SLUICE_DATA_LOCKED',
    message: new RegExp(`in use by process ${child.pid} on .*, since 20`),
  });
});

test('a lock that a killed process has left is taken over, and the log says so', async t => {
  const { path, report, book } = await folderRig(t);
  const child = await holder(t, path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const folder = await DataFolder.open(path, report);
  t.after(() => folder.close());
  assert.equal(folder.epoch, '2');
  await book.said(new RegExp(`process ${child.pid}, .*did not end by itself`));
});

test('a lock file that is damaged is emptied and said, and locks as ever', async t => {
  const { path, report, book } = await folderRig(t);
  (await DataFolder.open(path, report)).close();
  writeFileSync(join(path, 'lock'), Buffer.alloc(9000, 'x'));
  const folder = await DataFolder.open(path, report);
  t.after(() => folder.close());
  await book.line('SLUICE_STORE_DAMAGED', { folder: path });
  await assert.rejects(DataFolder.open(path, report), { code: 'SLUICE_DATA_LOCKED' });
});

test('who ends in order leaves nothing to take over', async t => {
  const { path, report, book } = await folderRig(t);
  (await DataFolder.open(path, report)).close();
  (await DataFolder.open(path, report)).close();
  assert.deepEqual(book.lines, []);
});

test('a folder of a newer version is refused and left as it is', async t => {
  const { path, report } = await folderRig(t);
  (await DataFolder.open(path, report)).close();
  const file = join(path, 'gateway.json');
  const newer = '{"format":2,"gateway":"a","starts":7}';
  writeFileSync(file, newer);
  await assert.rejects(DataFolder.open(path, report), {
    code: 'SLUICE_DATA_FORMAT',
    message: /format 2, .*up to 1/,
  });
  assert.equal(readFileSync(file, 'utf8'), newer);
});

test('a gateway.json that says nothing is renamed and said, and the gateway has another name: no message id comes again', async t => {
  const { path, report, book } = await folderRig(t);
  const names = new Set<string>();
  const texts = ['', '{', '[]', 'null', '{"format":1}'];
  for (const text of texts) {
    const before = await DataFolder.open(path, report);
    before.close();
    writeFileSync(join(path, 'gateway.json'), text);
    const folder = await DataFolder.open(path, report);
    folder.close();
    assert.deepEqual([folder.epoch, folder.gateway === before.gateway], ['1', false], text);
    names.add(folder.gateway);
  }
  assert.equal(names.size, texts.length);
  const [aside = assert.fail('none was renamed')] = readdirSync(path).filter(name =>
    name.includes('damaged'),
  );
  assert.equal(readFileSync(join(path, aside), 'utf8'), texts[0]);
  const { msg } = await book.line('SLUICE_STORE_DAMAGED');
  assert.match(
    msg,
    /it is gateway\.json\.damaged-\S+ now, and this gateway is called \S+-[0-9a-f]{16} from here on/,
  );
});

test('a path that cannot be a folder is refused with a code', async t => {
  const { path, report } = await folderRig(t);
  writeFileSync(path, '');
  await assert.rejects(DataFolder.open(path, report), { code: 'SLUICE_DATA_FOLDER' });
});

test('a second gateway on the same data folder does not start, and the first goes on', async t => {
  const { path } = await folderRig(t);
  const config = { sources: { line1: modbus(1) }, data: { dir: path } };
  const first = await startGateway(t, config);
  const second = await makeGateway(t, config);
  await assert.rejects(second.gateway.start(), {
    code: 'SLUICE_DATA_LOCKED',
    message: new RegExp(`${process.pid}`),
  });
  assert.equal((await first.get('/livez')).status, 200);
  await first.gateway.stop();
  await (await startGateway(t, config)).gateway.stop();
});

test('a data folder that cannot be used is said, and the gateway runs', async t => {
  const { path } = await folderRig(t);
  writeFileSync(path, '');
  const rig = await startGateway(t, { sources: { line1: modbus(1) }, data: { dir: path } });
  await rig.book.line('SLUICE_DATA_FOLDER', { level: 'error' });
  assert.equal((await rig.get('/livez')).status, 200);
});
