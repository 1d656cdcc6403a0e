import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Room } from '../../../host/store/messages.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { range, SpoolFile } from '../../support/gateway/spool-rig.js';

const MIB = 2 ** 20;

test('queues are apart, in order of their places whatever the order of arrival, and are summed', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'));
  await file.append(1, [5, 6, 7]);
  await file.append(2, [1, 2]);
  await file.append(1, [2, 3]);
  assert.deepEqual(await file.all(1), [2, 3, 5, 6, 7]);
  assert.deepEqual(await file.all(2), [1, 2]);
  assert.deepEqual((await file.take(1, 3, 6)).places, [5, 6]);
  assert.equal((await file.remove(1, 2, 5)).records, 3);
  assert.deepEqual(await file.all(1), [6, 7]);
  assert.deepEqual([await file.records(1), await file.records(2)], [2, 2]);
});

test('records that are appended once more, as after the death of a thread, are there once', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'));
  await file.append(1, [1, 2]);
  await file.append(1, [1, 2, 3]);
  assert.deepEqual(await file.all(1), [1, 2, 3]);
  assert.equal(await file.records(1), 3);
});

test('what does not fit the memory is left for the next time, or says what it needs', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'));
  await file.append(1, range(1, 10), 1000);
  const part = await file.take(1, 0, 1e9, 3500);
  assert.deepEqual([part.places, part.last, part.needs], [[1, 2, 3], 3, 0]);
  const small = await file.take(1, 3, 1e9, 500);
  assert.ok(small.places.length === 0 && small.needs > 1000 && small.needs < 1200, `${small.needs}`);
  assert.equal((await file.take(1, 3, 1e9, small.needs)).records, 1);
});

test('the file can be looked into with SQL: the view shows topic and payload', async t => {
  const path = join(await tempFolder(t), 'spool.db');
  const file = await SpoolFile.open(t, path);
  await file.append(3, [8]);
  using other = new DatabaseSync(path, { readOnly: true });
  const row = other
    .prepare('SELECT sink, route, source, place, topic, CAST(payload AS TEXT) AS p FROM message')
    .get();
  assert.deepEqual(
    { ...row },
    { sink: 'plant', route: 'route', source: 'source3', place: 8, topic: 't', p: '8         ' },
  );
});

test('keep-all refuses at the bound, and takes again when something was removed', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'), MIB);
  let next = 1;
  await assert.rejects(
    async () => {
      for (; next < 5000; next += 50) await file.append(1, range(next, 50), 1000);
    },
    { code: 'SLUICE_STORE_FULL' },
  );
  assert.ok(next > 400 && next < 1000, `${next} of a kB in a MiB`);
  await file.remove(1, 1, 200);
  await file.append(1, range(next, 50), 1000);
});

test('keep-newest gives up the oldest that nobody has fetched, and says how many', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'), MIB);
  const room = { policy: 'keep-newest', share: 1, queues: [{ queue: 1, after: 20 }] } as const;
  let gone = 0;
  const given = new Set<number>();
  for (let next = 1; next < 5000; next += 50) {
    const result = await file.append(1, range(next, 50), 1000, room);
    for (const { records, places } of result.gone) {
      gone += records;
      for (const place of places) given.add(place);
    }
  }
  const left = await file.all(1);
  assert.deepEqual(left.slice(0, 20), range(1, 20), 'those are in the hands of the sink');
  assert.equal(left.at(-1), 5000);
  assert.deepEqual(left.slice(20), range(left[20] as number, 5000 - (left[20] as number) + 1));
  assert.equal(left.length + gone, 5000);
  assert.deepEqual(
    left,
    range(1, 5000).filter(place => !given.has(place)),
  );
  assert.equal(await file.records(1), left.length);
});

test('down-sample keeps the newer half whole, and of all the time before an even sample', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'), MIB);
  const room = { policy: 'down-sample', share: 1, queues: [{ queue: 1, after: 0 }] } as const;
  let gone = 0;
  const given = new Set<number>();
  for (let next = 1; next < 5000; next += 50) {
    const result = await file.append(1, range(next, 50), 1000, room);
    for (const { records, places } of result.gone) {
      gone += records;
      for (const place of places) given.add(place);
    }
  }
  const left = await file.all(1);
  assert.equal(left.length + gone, 5000);
  assert.deepEqual(
    left,
    range(1, 5000).filter(place => !given.has(place)),
  );
  assert.equal(await file.records(1), left.length);
  assert.deepEqual(left.slice(-50), range(4951, 50));
  const part = (from: number, to: number) => left.filter(place => place > from && place <= to).length;
  const quarters = range(0, 4).map(n => part(n * 1000, n * 1000 + 1000));
  // Of a thousand that were put down long ago some are left, and as many of each thousand, more or less.
  assert.ok(Math.min(...quarters) > 20 && Math.max(...quarters) < 6 * Math.min(...quarters), `${quarters}`);
});

for (const policy of ['keep-newest', 'down-sample'] as const)
  test(`${policy}: what was handed on since is given up no more, whoever wants room knows of it or not`, async t => {
    const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'), MIB);
    const room = (after: number): Room => ({ policy, share: 1, queues: [{ queue: 1, after }] });
    let next = 1;
    const fill = async (to: number, after: number): Promise<void> => {
      for (; next < to; next += 50) await file.append(1, range(next, 50), 1000, room(after));
    };
    await fill(1000, 0);
    // It is under way: those who wrote before that was known ask for room from the place before it.
    const { places, last } = await file.take(1, 0, 1e9, 2 ** 17);
    assert.ok(places.length > 50, `${places.length}`);
    await fill(1400, 0);
    assert.deepEqual((await file.take(1, 0, last)).places, places);
  });

test('a flipped bit in a record is found: the record is left out and counted, its neighbours are given', async t => {
  const path = join(await tempFolder(t), 'spool.db');
  const file = await SpoolFile.open(t, path);
  await file.append(1, [1, 2, 3]);
  await file.database.write({
    sql: "UPDATE record SET image = X'00' || substr(image, 2) WHERE id & 255 = 2",
    values: [],
  });
  const { places, damaged, last } = await file.take(1);
  assert.deepEqual([places, damaged, last], [[1, 3], 1, 3]);
});

test('of a file with a damaged page all that can be read is saved into the new one', async t => {
  const path = join(await tempFolder(t), 'spool.db');
  const before = await SpoolFile.open(t, path);
  await before.append(1, range(1, 500), 200);
  await before.append(2, range(1, 500), 200);
  await before.store.close();
  const handle = await open(path, 'r+');
  // One of those that hold records, within the first queue: there are others of that queue behind it.
  const page = 8192 * Math.floor((await handle.stat()).size / 8192 / 4);
  await handle.write(Buffer.alloc(8192, 0x5a), 0, 8192, page);
  await handle.close();
  const after = await SpoolFile.open(t, path);
  const left = [...(await after.all(1)), ...(await after.all(2))];
  assert.deepEqual(
    after.faults.map(({ code }) => code),
    ['SLUICE_STORE_DAMAGED'],
  );
  assert.ok(left.length >= 900 && left.length < 1000, `${left.length} of 1000 are left`);
  assert.match(
    after.faults[0]?.message ?? '',
    new RegExp(`with the ${left.length} records that could be read`),
  );
  assert.equal((await after.records(1)) + (await after.records(2)), left.length);
});

test('a file that was emptied gives its space back to the disk', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'));
  for (let next = 1; next <= 10_000; next += 500) await file.append(1, range(next, 500), 1000);
  const pages = async () => Number((await file.database.read('PRAGMA page_count'))[0]?.page_count);
  const full = await pages();
  for (let next = 1; next <= 10_000; next += 100) await file.remove(1, next, next + 99);
  assert.ok((await pages()) < full / 2, `${await pages()} of ${full}`);
});

test('whether records would fit is found out without one, and nothing makes room for that', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'), MIB);
  const probe = (need: number, room: Pick<Room, 'policy' | 'share'>) =>
    file.database.ask({ kind: 'probe', need, room });
  const half: Pick<Room, 'policy' | 'share'> = { policy: 'keep-all', share: 1 / 2 };
  await probe(100_000, half);
  await file.append(1, range(1, 30), 10_000);
  await assert.rejects(probe(100_000, half), { code: 'SLUICE_STORE_FULL' });
  // What is old would make room.
  await probe(100_000, { policy: 'keep-newest', share: 1 / 2 });
  assert.equal((await file.all(1)).length, 30);
  await file.remove(1, 1, 30);
  await probe(100_000, half);
});
