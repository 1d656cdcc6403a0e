import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CatchUp } from '../../../host/spool/catch-up.js';
import { Queue } from '../../../host/spool/queue.js';
import type { Taken } from '../../../host/store/messages.js';
import { Metrics } from '../../../host/telemetry/metrics.js';

const NAME = { number: 1, sink: 'plant', route: 'route', source: 'line1', aside: false };

test('what came to the disk while all before it made room is fetched, and not taken for lost', async () => {
  const queue = new Queue(NAME, true);
  const asked: number[] = [];
  const answers: ((taken: Taken) => void)[] = [];
  const catchUp = new CatchUp(
    { capacity: 100, write: () => assert.fail('there is nothing to write'), flush: () => {} },
    Number.POSITIVE_INFINITY,
    {
      take: ({ cursor }) => {
        asked.push(cursor);
        const { promise, resolve } = Promise.withResolvers<Taken>();
        answers.push(resolve);
        return promise;
      },
      lost: (_queue, count) => assert.fail(`${count} are lost`),
      failed: () => assert.fail(),
    },
    {
      messages: { messages: () => {}, dropped: () => {} },
      spool: new Metrics().spool('plant'),
      finished: () => {},
    },
  );
  queue.put(1, 1000);
  queue.committed = 1;
  catchUp.add(queue);
  catchUp.start();
  // The second made room for itself before the first was fetched.
  queue.put(2, 2000);
  queue.committed = 2;
  queue.madeRoom(1, 2000);
  answers[0]?.({ kind: 'taken', records: 0, used: 0, last: 0, damaged: 0, needs: 0 });
  await Promise.resolve();
  await Promise.resolve();
  catchUp.pause();
  assert.deepEqual([asked, queue.pending], [[0, 1], 1]);
});
