import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import type { Ticket } from '../../../host/sinks/sink.js';
import { CatchUp } from '../../../host/spool/catch-up.js';
import { Lane } from '../../../host/spool/lane.js';
import { Queue } from '../../../host/spool/queue.js';
import { Run } from '../../../host/spool/run.js';
import { SpoolMetrics } from '../../../host/telemetry/spool-metrics.js';
import { SluiceError } from '../../../runtime/index.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

const NAME = { number: 7, sink: 'plant', route: 'route', source: 'line1', aside: false };
const FRAMES = 3;

/** Counts what it is told of. */
class Counting implements Ticket {
  count = 0;
  done(count: number): void {
    this.count += count;
  }
  spooled(count: number): void {
    this.count += count;
  }
  dropped(count: number): void {
    this.count += count;
  }
}

const cell = { value: 0, add: () => {}, set: () => {} };
const METRICS = new SpoolMetrics({
  records: cell,
  bytes: cell,
  oldest: cell,
  appended: cell,
  sent: cell,
  dropped: () => cell,
});

test('frames that went on from memory while their disk was full are not given back too: who sent them hears of them when they are through', async () => {
  const queue = new Queue(NAME, true);
  const runs: Ticket[] = [];
  const events = {
    take: () => assert.fail(),
    lost: () => assert.fail(),
    failed: () => assert.fail(),
    laneOf: () => lane,
  };
  const receiver = {
    capacity: 100,
    write: (_view: unknown, run: Ticket) => runs.push(run) > 0,
    flush: () => {},
  };
  const messages = { messages: () => {}, dropped: () => {} };
  const finished = () => {};
  const catchUp = new CatchUp(receiver, Number.POSITIVE_INFINITY, events, {
    messages,
    spool: METRICS,
    finished,
  });
  const given: number[] = [];
  const lane: Lane = new Lane('keep-all', 1, {
    probe: () => Promise.resolve(),
    append: () => Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full')),
    durable: () => assert.fail(),
    failed: () => lane.giveBack((_bytes, _start, _end, _queue, mark) => void given.push(mark)),
    room: () => {},
  });
  const ticket = new Counting();
  const id = new FrameId(new Origins('gateway', '1').make('route', 'line1', false));
  const add = (sequence: number): boolean =>
    lane.add(viewOf({ topic: 't' }), id, queue, ++queue.last, ticket, undefined, sequence);
  for (let sequence = 1; sequence <= FRAMES; sequence++) add(sequence);
  catchUp.start();
  assert.equal(catchUp.finish(queue, lane), true);
  await turn();
  assert.deepEqual(given, []);
  assert.deepEqual([queue.pending, queue.records, queue.bytes, ticket.count], [0, 0, 0, 0]);
  for (const run of runs) run.done(1);
  assert.equal(ticket.count, FRAMES);

  // What has not gone on is given back as before.
  add(9);
  lane.flush();
  await turn();
  assert.deepEqual([given, queue.pending, ticket.count], [[9], 0, FRAMES + 1]);
  catchUp.end();
  lane.stop();
});

test('a disk that was full and takes records again is found out, though none comes; while it is full nothing more is said of it', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isFull = true;
  let failures = 0;
  const asked: number[] = [];
  const full = () => Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full'));
  const lane: Lane = new Lane('keep-all', 1, {
    append: full,
    probe: need => {
      asked.push(need);
      return isFull ? full() : Promise.resolve();
    },
    durable: () => assert.fail(),
    failed: () => {
      failures++;
      lane.giveBack(() => undefined);
    },
    room: () => {},
  });
  const queue = new Queue(NAME, true);
  const id = new FrameId(new Origins('gateway', '1').make('route', 'line1', false));
  lane.add(viewOf({ topic: 't' }), id, queue, 1, new Counting());
  lane.flush();
  await turn();
  for (const fault of ['SLUICE_STORE_FULL', 'SLUICE_STORE_FULL', undefined]) {
    isFull = fault !== undefined;
    t.mock.timers.tick(1000);
    await turn();
    assert.equal(lane.fault?.code, fault);
  }
  assert.deepEqual([asked.length, failures], [3, 1]);
  assert.ok(
    asked.every(need => need > 40),
    `${asked}`,
  );
  lane.stop();
});

test('records of a run that the sink has confirmed go from a full disk, though others of it wait for the room that they take', async () => {
  const queue = new Queue(NAME, true);
  const finished: number[][] = [];
  const run = new Run(
    queue,
    {
      messages: { messages: () => {}, dropped: () => {} },
      spool: METRICS,
      settled: () => {},
      finished: ({ first, last }) => finished.push([first, last]),
    },
    false,
  );
  let isFull = false;
  const lane = new Lane('keep-all', 1, {
    append: () =>
      isFull
        ? Promise.reject(new SluiceError('SLUICE_STORE_FULL', 'it is full'))
        : Promise.resolve({ kind: 'appended', gone: [] }),
    probe: () => Promise.resolve(),
    durable: () => {},
    failed: () => {},
    room: () => {},
  });
  const id = new FrameId(new Origins('gateway', '1').make('route', 'line1', false));
  const ticket = new Counting();
  for (let place = 1; place <= 2; place++) {
    lane.add(viewOf({ topic: 't' }), id, queue, place, ticket, run);
    run.add(place, 1);
    lane.flush();
    await turn();
    isFull = true;
  }
  run.done(2);
  run.seal();
  assert.deepEqual(finished, [[1, 2]]);
  isFull = false;
  lane.retry();
  await turn();
  assert.deepEqual(finished, [
    [1, 2],
    [1, 2],
  ]);
  lane.stop();
});

test('what finds room in memory whatever happens leaves none for more, also while a piece of it can be written to', () => {
  const queue = new Queue(NAME, true);
  const lane = new Lane('keep-all', 1, {
    append: () => new Promise(() => {}),
    probe: () => Promise.resolve(),
    durable: () => {},
    failed: () => {},
    room: () => {},
  });
  const id = new FrameId(new Origins('gateway', '1').make('route', 'line1', false));
  const view = viewOf({ topic: 't', payload: Buffer.alloc(100_000) });
  const ticket = new Counting();
  let place = 0;
  const add = (always: boolean): boolean => lane.add(view, id, queue, ++place, ticket, undefined, 0, always);
  while (add(false));
  assert.equal(lane.hasRoom, false);
  assert.equal(add(true), true);
  assert.equal(lane.hasRoom, false);
  lane.stop();
});
