import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import type { Ticket } from '../../../host/sinks/sink.js';
import { CatchUp } from '../../../host/spool/catch-up.js';
import type { Chunk } from '../../../host/spool/chunk.js';
import { Lane } from '../../../host/spool/lane.js';
import { Queue } from '../../../host/spool/queue.js';
import type { RecordView } from '../../../host/spool/record.js';
import type { Run } from '../../../host/spool/run.js';
import { SinkQueues } from '../../../host/spool/sink-queues.js';
import type { Spool } from '../../../host/spool/spool.js';
import type { Appended, Taken } from '../../../host/store/messages.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { SluiceError } from '../../../runtime/index.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

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
      laneOf: () => assert.fail(),
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
  queue.madeRoom([1], 2000);
  answers[0]?.({ kind: 'taken', records: 0, used: 0, last: 0, damaged: 0, needs: 0 });
  await Promise.resolve();
  await Promise.resolve();
  catchUp.pause();
  assert.deepEqual([asked, queue.pending], [[0, 1], 1]);
});

const ORIGIN = new Origins('gateway', '1').make('route', 'line1', false);
const NO_MESSAGES = { messages: () => {}, dropped: () => {} };

/** Puts the next message of the queue down, in a piece of its own. */
function put(lane: Lane, queue: Queue, ticket: Ticket = TICKET): void {
  lane.add(viewOf({ topic: 't' }), new FrameId(ORIGIN), queue, ++queue.last, ticket);
  lane.flush();
}

const TICKET: Ticket = { done: () => {}, dropped: () => {}, spooled: () => {} };

/** One ordered queue over a spool whose answers to what is put down the test gives, each in its turn. */
function keptNewest() {
  const answers: PromiseWithResolvers<Appended>[] = [];
  const spool = {
    isOpen: true,
    isLate: false,
    whenOpen: then => then(),
    claim: () => [],
    newQueue: name => new Queue({ ...name, number: 1 }, true),
    append: (_chunk: Chunk) => {
      const answer = Promise.withResolvers<Appended>();
      answers.push(answer);
      return answer.promise;
    },
  } satisfies Partial<Spool> as Partial<Spool> as Spool;
  const metrics = new Metrics().spool('plant');
  const queues = new SinkQueues(
    {
      name: 'plant',
      spool,
      routeOf: () => ({ catchUp: 'ordered', whenFull: 'keep-newest' }),
      metrics,
      report: () => {},
    },
    { found: () => {}, durable: () => {}, room: () => {} },
  );
  queues.start();
  const queue = queues.of(ORIGIN) as Queue;
  const lane = queues.laneOf(queue);
  /** Places of what was handed to the sink. */
  const places: number[] = [];
  const catchUp = new CatchUp(
    { capacity: 100, write: (_view, _run, _id, place) => places.push(place) > 0, flush: () => {} },
    Number.POSITIVE_INFINITY,
    {
      take: () => new Promise(() => {}),
      lost: () => assert.fail(),
      failed: () => assert.fail(),
      laneOf: () => lane,
    },
    { messages: NO_MESSAGES, spool: metrics, finished: () => {} },
  );
  const stop = (): void => {
    catchUp.end();
    queues.stop();
  };
  return { answers, queue, lane, places, catchUp, stop };
}

const gaveUp = (place: number): Appended['gone'] => [{ queue: 1, records: 1, bytes: 40, places: [place] }];

test('what made room on the disk after it had gone on from memory is not taken for what waits behind it', async t => {
  const { answers, queue, lane, catchUp, stop } = keptNewest();
  t.after(stop);
  put(lane, queue);
  put(lane, queue);
  catchUp.start();
  assert.equal(catchUp.finish(queue, lane), true);
  put(lane, queue);
  answers[0]?.resolve({ kind: 'appended', gone: [] });
  // The second made room for itself by the first, as nobody had fetched that.
  answers[1]?.resolve({ kind: 'appended', gone: gaveUp(1) });
  answers[2]?.resolve({ kind: 'appended', gone: [] });
  await turn();
  assert.deepEqual([queue.pending, queue.records, queue.hasMore], [1, 2, true]);
});

for (const isHandedOn of [true, false])
  test(`what is given up on the disk while something before it has no room there is counted once, ${isHandedOn ? 'handed on from memory' : 'not handed on'}`, async t => {
    const { answers, queue, lane, places, catchUp, stop } = keptNewest();
    t.after(stop);
    for (let n = 1; n <= 3; n++) put(lane, queue);
    answers[0]?.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full'));
    answers[1]?.resolve({ kind: 'appended', gone: [] });
    await turn();
    answers[2]?.resolve({ kind: 'appended', gone: gaveUp(2) });
    await turn();
    if (isHandedOn) {
      catchUp.start();
      assert.equal(catchUp.finish(queue, lane), true);
    }
    lane.retry();
    answers[3]?.resolve({ kind: 'appended', gone: [] });
    await turn();
    assert.deepEqual([places, queue.pending], isHandedOn ? [[1, 2, 3], 0] : [[], 2]);
  });

test('what a full disk has no room for goes on from memory as the sink confirms, more than it takes at once too, and its senders hear of it', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const queue = new Queue(NAME, true);
  const runs: Run[] = [];
  const places: number[] = [];
  let through = 0;
  const lane = new Lane('keep-all', 1, {
    append: () => Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full')),
    probe: () => Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full')),
    durable: () => assert.fail(),
    failed: () => {},
    room: () => {},
  });
  const catchUp = new CatchUp(
    {
      capacity: 4,
      write: (_view: RecordView, run, _id, place) => places.push(place) > 0 && runs.push(run) > 0,
      flush: () => {},
    },
    Number.POSITIVE_INFINITY,
    {
      take: () => assert.fail(),
      lost: () => assert.fail(),
      failed: () => assert.fail(),
      laneOf: () => lane,
      through: () => through++,
    },
    { messages: NO_MESSAGES, spool: new Metrics().spool('plant'), finished: () => {} },
  );
  let told = 0;
  const ticket = {
    ...TICKET,
    spooled: (count: number) => {
      told += count;
    },
  };
  catchUp.add(queue);
  for (let n = 1; n <= 5; n++) put(lane, queue, ticket);
  await turn();
  assert.equal(lane.fault?.code, 'SLUICE_STORE_FULL');
  catchUp.start();
  for (const count of [2, 4, 5]) {
    assert.deepEqual([places.length, through], [count, count === 5 ? 1 : 0]);
    for (const run of runs.splice(0)) run.done(1);
    t.mock.timers.tick(0);
  }
  assert.deepEqual([places, queue.pending, told], [[1, 2, 3, 4, 5], 0, 0]);
  // At the next try nothing of it has to be written any more.
  lane.retry();
  await turn();
  assert.deepEqual([told, queue.records, queue.bytes, lane.hasRoom], [5, 0, 0, true]);
  catchUp.end();
  lane.stop();
});
