import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Origins } from '../../../host/sinks/message-id.js';
import type { Queue } from '../../../host/spool/queue.js';
import { DEFAULT_ROUTE_SPOOL } from '../../../host/spool/route-spool.js';
import { SinkQueues } from '../../../host/spool/sink-queues.js';
import { Spool } from '../../../host/spool/spool.js';
import { Store } from '../../../host/store/store.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import type { Fault } from '../../../runtime/index.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { range, SpoolFile } from '../../support/gateway/spool-rig.js';

test('what is in a spool that is opened late is a queue beside that of its source, marked as late, and told of', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'spool.db');
  const before = await SpoolFile.open(t, path);
  await before.append(1, range(1, 30));
  await before.store.close();
  renameSync(path, `${path}.hidden`);
  mkdirSync(path);
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const spool = new Spool({ store, folder, maxBytes: 2 ** 26, failed: () => {} });
  t.after(() => spool.close());
  await spool.open();
  const found: Queue[] = [];
  const told: Fault[] = [];
  const queues = new SinkQueues(
    {
      name: 'plant',
      spool,
      routeOf: () => DEFAULT_ROUTE_SPOOL,
      metrics: new Metrics().spool('plant'),
      report: fault => told.push(fault),
    },
    { found: queue => found.push(queue), durable: () => {}, room: () => {} },
  );
  queues.start();
  rmdirSync(path);
  renameSync(`${path}.hidden`, path);
  await spool.open();
  assert.deepEqual(
    found.map(({ ordered, records }) => [ordered, records]),
    [[false, 30]],
  );
  assert.deepEqual(
    told.map(({ code }) => code),
    ['SLUICE_SPOOL_LATE'],
  );
  assert.match(told[0]?.message ?? '', /^30 messages of source1 \(route route\) lay in a spool/);
  const own = queues.of(new Origins('gateway', '2').make('route', 'source1', false));
  assert.notEqual(own, found[0]);
  assert.equal(own?.ordered, true);
});

test('a spool that cannot be opened is told of at once and when it is given up, with the number of tries, and when it is open', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'spool.db');
  mkdirSync(path);
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const told: string[] = [];
  const spool = new Spool({
    store,
    folder,
    maxBytes: 2 ** 26,
    failed: ({ message }, tries) => told.push(`${tries}: ${message.replace(/^.*?(?= \(|;)/, '')}`),
    opened: failed => told.push(`open after ${failed}`),
  });
  t.after(() => spool.close());
  await spool.open(600);
  rmdirSync(path);
  await spool.open();
  const [first, second = '', third] = told;
  assert.equal(first, '1: ; the gateway waits for it');
  assert.match(second, /^([3-9]): +\(\1 tries\); the gateway goes on without, and tries again$/);
  assert.equal(third, `open after ${second[0]}`);
});

for (const [when, patienceMs] of [
  ['while a start waits for it', 60_000],
  ['while it is tried again', 0],
] as const) {
  test(`a spool that is closed ${when} is not tried once more, and nothing more is said of it`, async t => {
    const folder = await tempFolder(t);
    mkdirSync(join(folder, 'spool.db'));
    const store = new Store({ fault: () => {} });
    t.after(() => store.close());
    const told: string[] = [];
    const spool = new Spool({
      store,
      folder,
      maxBytes: 2 ** 26,
      failed: ({ message }) => told.push(message),
    });
    const opened = spool.open(patienceMs);
    spool.close();
    await opened;
    assert.deepEqual(told, []);
  });
}

test('a spool for which nobody waits any more is not tried once more', async t => {
  const folder = await tempFolder(t);
  mkdirSync(join(folder, 'spool.db'));
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const spool = new Spool({ store, folder, maxBytes: 2 ** 26, failed: () => {} });
  await spool.open(60_000, AbortSignal.abort());
  assert.equal(spool.isOpen, false);
});
