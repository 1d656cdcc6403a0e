import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import type { Insurer, Ticket } from '../../../host/sinks/sink.js';
import { Copies } from '../../../host/spool/copies.js';
import { DEFAULT_ROUTE_SPOOL } from '../../../host/spool/route-spool.js';
import { Run } from '../../../host/spool/run.js';
import { SinkQueues } from '../../../host/spool/sink-queues.js';
import { Spool } from '../../../host/spool/spool.js';
import { Store } from '../../../host/store/store.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

const ORIGIN = new Origins('gateway', '1').make('route', 'line1', false);
const NOBODY: Ticket = { done: () => {}, spooled: () => {}, dropped: () => {} };

/** One life of a gateway: what waits in the window of a sink that is away gets its copies. @returns records of the sums */
async function live(folder: string, payloads: readonly string[]): Promise<number> {
  const store = new Store({ fault: ({ message }) => assert.fail(message) });
  const spool = new Spool({ store, folder, maxBytes: 2 ** 26, failed: () => {} });
  await spool.open();
  const metrics = new Metrics().spool('plant');
  const report = ({ message }: { message: string }): void => assert.fail(message);
  const queues = new SinkQueues(
    {
      name: 'plant',
      spool,
      routeOf: () => ({ ...DEFAULT_ROUTE_SPOOL, catchUp: 'fresh-first' }),
      metrics,
      report,
    },
    { found: () => {}, durable: () => {}, room: () => {} },
  );
  queues.start();
  const messages = { messages: () => {}, dropped: () => {} };
  const events = { messages, spool: metrics, settled: () => {}, finished: () => {} };
  const insure = (insurer: Insurer): void => {
    const id = new FrameId(ORIGIN);
    for (const [index, payload] of payloads.entries()) {
      // As it passed through, in the queue of this life.
      id.place = index + 1;
      assert.ok(insurer.copy(viewOf({ topic: 't', payload }), id, NOBODY));
    }
  };
  const copies = new Copies(
    { insure },
    origin => queues.copiesOf(origin),
    queue => new Run(queue, events, false),
  );
  assert.equal(copies.make(), true);
  await queues.empty();
  const { records } = queues.sums();
  queues.stop();
  spool.close();
  await store.close();
  return records;
}

test('fresh-first: copies are put down beside those that an earlier run of the gateway has left, and in the place of none', async t => {
  const folder = await tempFolder(t);
  assert.equal(await live(folder, ['1', '2', '3']), 3);
  assert.equal(await live(folder, ['4', '5']), 5);
  using file = new DatabaseSync(join(folder, 'spool.db'), { readOnly: true });
  const rows = file.prepare('SELECT CAST(payload AS TEXT) AS payload FROM message ORDER BY place').all();
  assert.deepEqual(
    rows.map(({ payload }) => payload),
    ['1', '2', '3', '4', '5'],
  );
});
