import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FrameId, type Origin, Origins } from '../../../host/sinks/message-id.js';
import type { Insurer, Ticket } from '../../../host/sinks/sink.js';
import { CatchUp } from '../../../host/spool/catch-up.js';
import { Copies } from '../../../host/spool/copies.js';
import type { Queue } from '../../../host/spool/queue.js';
import { DEFAULT_ROUTE_SPOOL } from '../../../host/spool/route-spool.js';
import { SinkQueues } from '../../../host/spool/sink-queues.js';
import { Spool } from '../../../host/spool/spool.js';
import { Store } from '../../../host/store/store.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Waiting } from '../../support/devices/gateway-peers.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

const ORIGIN = new Origins('gateway', '1').make('route', 'line1', false);
const NOBODY: Ticket = { done: () => {}, spooled: () => {}, dropped: () => {} };

/** Puts messages down, and has them in hand without a confirmation until a test says so. */
class Held extends Waiting {
  readonly capacity = 100;
  readonly tickets: Ticket[] = [];
  /** More of them are not taken. */
  room = 100;
  readonly queues: SinkQueues;
  readonly catchUp: CatchUp;
  readonly #metrics = new Metrics();

  private constructor(readonly spool: Spool) {
    super();
    const spoolMetrics = this.#metrics.spool('plant');
    this.queues = new SinkQueues(
      {
        name: 'plant',
        spool,
        routeOf: () => DEFAULT_ROUTE_SPOOL,
        metrics: spoolMetrics,
        report: ({ message }) => assert.fail(message),
      },
      { found: () => {}, durable: () => this.catchUp.pump(), room: () => {} },
    );
    this.catchUp = new CatchUp(
      this,
      Number.POSITIVE_INFINITY,
      {
        take: (queue, into) => spool.take(queue, into),
        lost: () => assert.fail(),
        failed: thrown => this.queues.failed(thrown),
        laneOf: queue => this.queues.laneOf(queue),
      },
      {
        messages: { messages: () => {}, dropped: () => {} },
        spool: spoolMetrics,
        finished: run => void this.queues.remove(run),
      },
    );
  }

  static async on(t: TestContext): Promise<Held> {
    const store = new Store({ fault: () => {} });
    t.after(() => store.close());
    const spool = new Spool({ store, folder: await tempFolder(t), maxBytes: 2 ** 26, failed: () => {} });
    t.after(() => spool.close());
    await spool.open();
    const held = new Held(spool);
    t.after(() => held.queues.stop());
    return held;
  }

  write(_view: unknown, ticket: Ticket): boolean {
    if (this.tickets.length >= this.room) return false;
    this.tickets.push(ticket);
    this.changed();
    return true;
  }

  flush(): void {}

  put(origin: Origin = ORIGIN): Queue {
    const queue = this.queues.of(origin) as Queue;
    const id = new FrameId(origin);
    assert.ok(this.queues.laneOf(queue).add(viewOf({ topic: 't' }), id, queue, ++queue.last, NOBODY));
    return queue;
  }
}

test('the age of what lies in a spool is that of the oldest message without a confirmation, handed on or not', async t => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  const held = await Held.on(t);
  const age = (): number => held.queues.sums().oldestMs;
  const queue = held.put();
  await held.queues.empty();
  now += 5000;
  held.put();
  await held.queues.empty();
  assert.equal(age(), 5000);
  held.catchUp.add(queue);
  held.catchUp.start();
  await held.until('both in hand', () => held.tickets.length === 2);
  now += 5000;
  assert.deepEqual([queue.pending, age()], [0, 10_000]);
  held.put();
  assert.equal(age(), 10_000);
  for (const ticket of held.tickets) ticket.done(1);
  assert.equal(age(), 0);
  now += 1000;
  assert.equal(age(), 1000);
  held.catchUp.end();
});

test('what waits behind messages that are confirmed is told no older than the last of them, and what is empty has no age', async t => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  const held = await Held.on(t);
  const age = (): number => held.queues.sums().oldestMs;
  held.room = 2;
  held.put();
  await held.queues.empty();
  now += 1000;
  held.put();
  await held.queues.empty();
  now += 1000;
  // On its way to the disk when the others are fetched from there.
  const queue = held.put();
  held.catchUp.add(queue);
  held.catchUp.start();
  await held.until('two in hand', () => held.tickets.length === 2);
  for (const ticket of held.tickets) ticket.done(1);
  now += 1000;
  // It came when the last that was handed on did, or later.
  assert.deepEqual([queue.pending, age()], [1, 2000]);
  held.room = 3;
  await held.queues.empty();
  held.catchUp.pump();
  await held.until('the third in hand', () => held.tickets.length === 3);
  held.tickets[2]?.done(1);
  assert.deepEqual([queue.pending, age()], [0, 0]);
  held.catchUp.end();
});

test('a copy of what waits for its confirmation has an age until it is confirmed, and none behind that', async t => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  const held = await Held.on(t);
  const sink = {
    insure: (insurer: Insurer) => {
      const id = new FrameId(ORIGIN);
      held.tickets.push(insurer.copy(viewOf({ topic: 't' }), id, NOBODY) as Ticket);
    },
  };
  const copies = new Copies(
    sink,
    origin => held.queues.copiesOf(origin),
    queue => held.catchUp.copies(queue),
  );
  assert.equal(copies.make(), true);
  await held.queues.empty();
  now += 3000;
  assert.deepEqual([held.queues.sums().records, held.queues.sums().oldestMs], [1, 3000]);
  held.tickets[0]?.done(1);
  assert.equal(held.queues.sums().oldestMs, 0);
});
