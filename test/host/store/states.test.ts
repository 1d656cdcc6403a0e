import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { STATES_SCHEMA, States } from '../../../host/store/states.js';
import { Store } from '../../../host/store/store.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { LogBook, tempFolder } from '../../support/gateway/gateway-rig.js';

test('the newest of what a route remembers is on the disk after a flush, other routes apart; what cannot be kept is told of', async t => {
  const path = join(await tempFolder(t), 'states.db');
  const book = new LogBook();
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const database = await store.open({ path, schema: STATES_SCHEMA, maxBytes: 2 ** 20 });
  const states = new States(database, new Reporter(book.log));
  const free = (): Promise<void> => Promise.resolve();
  const state = (place: string, text: string, version = 1) => ({ place, version, bytes: Buffer.from(text) });
  states.save('a', [state('filter 1', 'old'), state('gone 1', 'x')], free);
  states.save('b', [state('filter 1', 'of b')], free);
  states.save('a', [state('filter 1', 'new', 2)], free);
  await states.flush();
  states.save('a', [state('filter 1', 'newer', 3)], free);
  await states.flush();
  const loaded = async (route: string) =>
    (await states.load(route)).map(({ place, version, bytes }) => [
      place,
      version,
      String(Buffer.from(bytes)),
    ]);
  assert.deepEqual(await loaded('a'), [['filter 1', 3, 'newer']]);
  assert.deepEqual(await loaded('b'), [['filter 1', 1, 'of b']]);
  assert.deepEqual(await loaded('c'), []);
  states.save('a', [{ place: 'filter 1', version: 4, bytes: Buffer.alloc(2 ** 21) }], free);
  await states.flush();
  assert.equal(book.of('SLUICE_STORE_FULL', { route: 'a' }).length, 1);
  assert.deepEqual(await loaded('a'), [['filter 1', 3, 'newer']], 'the last that fitted');
});

test('while a disk is waited for, only the newest of what a route remembers waits behind it, however often it is asked for', async t => {
  const path = join(await tempFolder(t), 'states.db');
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const database = await store.open({ path, schema: STATES_SCHEMA, maxBytes: 2 ** 20 });
  const states = new States(database, new Reporter(new LogBook().log));
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const asked: number[] = [];
  for (let n = 1; n <= 5; n++) {
    const wait = (): Promise<void> => {
      asked.push(n);
      return settled;
    };
    states.save('a', [{ place: 'filter 1', version: n, bytes: Buffer.alloc(8, n) }], wait);
    void states.flush();
  }
  resolve();
  await states.flush();
  assert.deepEqual(asked, [1, 5]);
  assert.deepEqual(
    (await states.load('a')).map(({ version }) => version),
    [5],
  );
});
