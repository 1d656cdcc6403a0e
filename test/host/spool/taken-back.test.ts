import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { CatchUp } from '../../../host/spool/catch-up.js';
import { Queue } from '../../../host/spool/queue.js';
import type { Run } from '../../../host/spool/run.js';
import type { Taken } from '../../../host/store/messages.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { tempFolder } from '../../support/gateway-rig.js';
import { range, SpoolFile } from '../../support/spool-rig.js';

const NAME = { number: 1, sink: '~plugins', route: 'route', source: 'line1', aside: false };

test('records that were handed on and come back unused stay on the disk, and are handed on again in their order; those before them are removed', async t => {
  const file = await SpoolFile.open(t, join(await tempFolder(t), 'spool.db'));
  await file.append(1, range(1, 5));
  const queue = new Queue(NAME, true, { name: NAME, last: 5, records: 5, bytes: 500, oldest: 1 });
  const handed: [Run, number][] = [];
  const removed: number[][] = [];
  const receiver = {
    capacity: 100,
    write: (_view: unknown, run: Run, _id: unknown, place: number) => handed.push([run, place]) > 0,
    flush: () => {},
  };
  const catchUp = new CatchUp(
    receiver,
    Number.POSITIVE_INFINITY,
    {
      take: async ({ cursor, committed }, into) =>
        (await file.database.ask({ kind: 'take', queue: 1, after: cursor, upTo: committed, into })) as Taken,
      lost: () => assert.fail(),
      failed: thrown => assert.fail(String(thrown)),
    },
    {
      messages: { messages: () => {}, dropped: () => {} },
      spool: new Metrics().spool('plant'),
      finished: ({ first, removable }) => removed.push([first, removable]),
    },
  );
  const handedOn = async (count: number): Promise<number[]> => {
    while (handed.length < count) await turn();
    return handed.map(([, place]) => place);
  };
  catchUp.add(queue);
  catchUp.start();
  assert.deepEqual(await handedOn(5), [1, 2, 3, 4, 5]);
  assert.equal(queue.pending, 0);
  for (const [run, place] of handed.splice(0)) {
    if (place <= 2) run.doneTo(place);
    else catchUp.takeBack(run, place);
  }
  assert.deepEqual(removed, [[1, 2]]);
  assert.equal(queue.pending, 3);
  catchUp.pump();
  assert.deepEqual(await handedOn(3), [3, 4, 5]);
  for (const [run, place] of handed) run.doneTo(place);
  assert.deepEqual(removed, [
    [1, 2],
    [3, 5],
  ]);
  assert.equal(queue.pending, 0);
  catchUp.end();
});
