import assert from 'node:assert/strict';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { Database } from '../../../host/store/database.js';
import { Store } from '../../../host/store/store.js';
import type { Fault } from '../../../runtime/index.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

const SCHEMA = 'CREATE TABLE IF NOT EXISTS item(id INTEGER PRIMARY KEY, bytes BLOB UNIQUE)';
const MIB = 2 ** 20;

interface Rig {
  readonly store: Store;
  readonly path: string;
  readonly faults: Fault[];
  open(maxBytes?: number): Promise<Database>;
}

async function storeRig(t: TestContext, path?: string): Promise<Rig> {
  const file = path ?? join(await tempFolder(t), 'items.db');
  const faults: Fault[] = [];
  const store = new Store({ fault: fault => faults.push(fault) });
  t.after(() => store.close());
  return {
    store,
    path: file,
    faults,
    open: (maxBytes = 64 * MIB) => store.open({ path: file, schema: SCHEMA, maxBytes }),
  };
}

function insert(bytes: Uint8Array) {
  return { sql: 'INSERT INTO item(bytes) VALUES (?)', values: [bytes] };
}

async function countOf(database: Database): Promise<number> {
  const [row] = await database.read('SELECT count(*) AS n FROM item');
  return Number(row?.n);
}

/** Bytes that are no others' in a file of several pages. */
async function filled(t: TestContext, count = 200): Promise<string> {
  const rig = await storeRig(t);
  const database = await rig.open();
  await Promise.all(
    Array.from({ length: count }, (_, i) => database.write(insert(Buffer.alloc(1000, `${i} `)))),
  );
  await rig.store.close();
  return rig.path;
}

test('what was written is there when the store is opened again', async t => {
  const first = await storeRig(t);
  const database = await first.open();
  const [written] = await database.write(insert(Buffer.from('one')));
  assert.deepEqual(written, { changes: 1, rowid: 1 });
  await first.store.close();
  const second = await storeRig(t, first.path);
  const [row] = await (await second.open()).read('SELECT * FROM item');
  assert.deepEqual([row?.id, Buffer.from(row?.bytes as Uint8Array).toString()], [1, 'one']);
});

test('a commit is on the disk before it is told: WAL, synced in full', async t => {
  const database = await (await storeRig(t)).open();
  const [mode] = await database.read('PRAGMA journal_mode');
  const [sync] = await database.read('PRAGMA synchronous');
  assert.deepEqual([mode?.journal_mode, sync?.synchronous], ['wal', 2]);
});

test('a read sees every write that was asked for before it', async t => {
  const database = await (await storeRig(t)).open();
  void database.write(insert(Buffer.from('a')));
  void database.write(insert(Buffer.from('b')));
  assert.equal(await countOf(database), 2);
});

test('writes of one turn share a commit: a thousand of them log a few pages, not a few for each', async t => {
  const rig = await storeRig(t);
  const database = await rig.open();
  // What comes while the thread is at something waits, as it does while a commit runs.
  const busy = database.read(
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000000) SELECT count(*) FROM n',
  );
  const writes = Array.from({ length: 1000 }, (_, i) => database.write(insert(Buffer.from(`number ${i}`))));
  await Promise.all([busy, ...writes]);
  // By itself each would have logged at least the page of the table and that of the index, 8 kB.
  const logged = statSync(`${rig.path}-wal`).size;
  assert.ok(logged < MIB, `${logged} bytes`);
});

test('a statement that cannot be done concerns nobody else in its commit, and undoes what came with it', async t => {
  const database = await (await storeRig(t)).open();
  const results = await Promise.allSettled([
    database.write(insert(Buffer.from('good'))),
    database.write(insert(Buffer.from('undone')), { sql: 'INSERT INTO nowhere VALUES (1)', values: [] }),
    database.write(insert(Buffer.from('good too'))),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const { code, message } = (results[1] as PromiseRejectedResult).reason as Fault;
  assert.equal(code, 'SLUICE_STORE_FAILED');
  assert.match(message, /items\.db: no such table: nowhere/);
  const rows = await database.read('SELECT bytes FROM item ORDER BY id');
  assert.deepEqual(
    rows.map(({ bytes }) => Buffer.from(bytes as Uint8Array).toString()),
    ['good', 'good too'],
  );
});

test('a file at its bound refuses with a code, and takes more as soon as something was deleted', async t => {
  const database = await (await storeRig(t)).open(MIB);
  let count = 0;
  await assert.rejects(
    async () => {
      for (; ; count++) await database.write(insert(Buffer.alloc(50_000, `${count} `)));
    },
    { code: 'SLUICE_STORE_FULL' },
  );
  assert.ok(count >= 10 && count <= 21, `${count} of 50 kB fit 1 MiB`);
  assert.equal(await countOf(database), count);
  await database.write({ sql: 'DELETE FROM item WHERE id <= 3', values: [] });
  await database.write(insert(Buffer.alloc(50_000, 'again')));
});

test('a damaged page is met: the file is renamed and said, and an empty one takes what was to be written', async t => {
  const path = await filled(t);
  const handle = await open(path, 'r+');
  const { size } = await handle.stat();
  // All but the first page, so that the first look at the table finds it.
  await handle.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
  await handle.close();
  const rig = await storeRig(t, path);
  const database = await rig.open();
  await database.write(insert(Buffer.from('after')));
  assert.equal(await countOf(database), 1);
  const [fault] = rig.faults;
  assert.equal(fault?.code, 'SLUICE_STORE_DAMAGED');
  const aside = readdirSync(dirname(path)).find(name => name.startsWith('items.db.damaged-'));
  assert.ok(aside !== undefined && fault?.message.includes(aside), fault?.message);
  assert.equal(statSync(join(dirname(path), aside)).size, size);
});

for (const [what, harm] of [
  ['cut off in its first page', (path: string) => truncateSync(path, 1000)],
  ['cut off behind its first page', (path: string) => truncateSync(path, 8192)],
  ['something else', (path: string) => writeFileSync(path, Buffer.alloc(9000, 'no database '))],
] as const) {
  test(`a file that is ${what} is renamed when it is opened or read, and the store serves`, async t => {
    const path = await filled(t);
    harm(path);
    const rig = await storeRig(t, path);
    const database = await rig.open();
    await database.write(insert(Buffer.from('after')));
    assert.equal(await countOf(database), 1);
    assert.deepEqual(
      rig.faults.map(({ code }) => code),
      ['SLUICE_STORE_DAMAGED'],
    );
  });
}

test('a folder that is not there is an error with a code, and opening can be tried again', async t => {
  const rig = await storeRig(t, join(await tempFolder(t), 'away', 'items.db'));
  await assert.rejects(rig.open(), { code: 'SLUICE_STORE_FAILED' });
  await assert.rejects(rig.open(), { code: 'SLUICE_STORE_FAILED' });
});

/** Ends each thread that is started from now on as soon as it is up. */
function deadlyFor(t: TestContext, threads: number): void {
  const end = (worker: Worker): void => {
    if (threads-- > 0) worker.once('online', () => void worker.terminate());
  };
  process.on('worker', end);
  t.after(() => process.off('worker', end));
}

test('a thread that dies is started again, and does what it had not answered', async t => {
  const rig = await storeRig(t);
  deadlyFor(t, 1);
  const database = await rig.open();
  await database.write(insert(Buffer.from('one')));
  assert.equal(await countOf(database), 1);
  assert.deepEqual(
    rig.faults.map(({ code }) => code),
    ['SLUICE_STORE_THREAD'],
  );
});

test('a request over which two threads have died is refused, and the next is served', async t => {
  const rig = await storeRig(t);
  const workers: Worker[] = [];
  const keep = (worker: Worker): void => void workers.push(worker);
  process.on('worker', keep);
  t.after(() => process.off('worker', keep));
  const database = await rig.open();
  deadlyFor(t, 1);
  const refused = database.read(
    'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000000) SELECT count(*) FROM n',
  );
  await workers[0]?.terminate();
  await assert.rejects(refused, { code: 'SLUICE_STORE_THREAD', message: /2 threads died over it/ });
  assert.equal(await countOf(database), 0);
});

test('another program can look into the file while the gateway writes', async t => {
  const rig = await storeRig(t);
  const database = await rig.open();
  await database.write(insert(Buffer.from('seen')));
  using other = new DatabaseSync(rig.path, { readOnly: true });
  assert.equal(other.prepare('SELECT count(*) AS n FROM item').get()?.n, 1);
  await database.write(insert(Buffer.from('more')));
  assert.equal(other.prepare('SELECT count(*) AS n FROM item').get()?.n, 2);
  assert.equal(basename(rig.path), 'items.db');
});
