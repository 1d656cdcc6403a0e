import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { TopicFilter } from '../../../host/protocols/mqtt-wire/topic-filter.js';
import { Feed } from '../../../host/route/feed.js';
import { Replay } from '../../../host/route/replay.js';
import { Route } from '../../../host/route/route.js';
import type { Isolate, KeptStates, RouteSink } from '../../../host/route/route-parts.js';
import { Origins } from '../../../host/sinks/message-id.js';
import { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import type { Source } from '../../../host/sources/source.js';
import { Spool } from '../../../host/spool/spool.js';
import type { Poison } from '../../../host/store/quarantine.js';
import { Store } from '../../../host/store/store.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { defaultRules, readManifest, Stamp } from '../../../runtime/index.js';
import { type BreakerLimits, SandboxPool, type StageSpec } from '../../../sandbox/index.js';
import { Waiting } from '../../support/devices/gateway-peers.js';
import { guestFile, LogBook, tempFolder } from '../../support/gateway/gateway-rig.js';
import { useAllQueues } from '../../support/gateway/spool-rig.js';
import { NOW } from '../../support/mqtt/mqtt-recorder.js';
import { TestServer } from '../../support/mqtt/mqtt-server.js';

/** A source that a test pushes through; takes down what is delivered. */
class HandSource extends Waiting implements Source {
  /** What a test pushes comes once: all routes take it, or none. */
  readonly repeats = false;
  readonly told: number[] = [];
  resumed = 0;

  constructor(readonly feed: Feed) {
    super();
    feed.source = this;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  resume(): void {
    this.resumed++;
    this.changed();
  }

  delivered(sequence: number): void {
    this.told.push(sequence);
    this.changed();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  state(): [] {
    return [];
  }
}

/** Opens with the fifth fault, and is not tried again while a test lasts. */
const BREAKER: BreakerLimits = {
  faults: 5,
  rate: 1,
  slow: 1,
  least: 1000,
  windowMs: 10_000,
  pauseMs: 60_000,
  longestPauseMs: 60_000,
};

type Guests = string | readonly string[];

async function stageOf(guest: string): Promise<StageSpec> {
  const bytes = await readFile(guestFile(guest));
  const { name, version, kind } = readManifest(bytes)!.manifest;
  const stage = { plugin: name, version, kind: kind as 'converter', config: '{}', deadlineMs: 500 };
  return { ...stage, rules: defaultRules(name, 1 << 24), code: { format: 'core', bytes } };
}

/** A route through real sandboxes to brokers that confirm when the test says so. */
class RouteRig {
  readonly pool = new SandboxPool({ threads: 8 });
  readonly metrics = new Metrics();
  readonly book = new LogBook();
  readonly report = new Reporter(this.book.log);
  readonly routes: Route[] = [];
  /** Frames that guests failed on. */
  isolate: Isolate = async () => {};
  states: KeptStates | undefined;
  spool: Spool | undefined;
  readonly #sinks: RouteSink[] = [];
  readonly #t: TestContext;
  readonly #origins = new Origins('gateway', '1');

  constructor(t: TestContext) {
    this.#t = t;
    t.after(async () => {
      await Promise.all(this.routes.map(route => route.slot.stop(AbortSignal.timeout(500))));
      await Promise.all(this.#sinks.map(({ sink }) => sink.stop(NOW)));
      await this.pool.close();
    });
  }

  async server(): Promise<TestServer> {
    const server = await TestServer.start();
    this.#t.after(() => server.stop());
    server.behaviour.puback = () => 'none';
    return server;
  }

  async sink(server: TestServer, window?: { readonly messages: number }): Promise<RouteSink> {
    const name = `sink${this.#sinks.length}`;
    const metrics = this.metrics.sink(name);
    const sink = new MqttSink(
      name,
      { url: `mqtt://127.0.0.1:${server.port}`, version: 4, ...(window && { window }) },
      { failed: () => {}, connected: () => {}, retried: () => {} },
    );
    sink.onRoom = () => {
      for (const route of this.routes) route.pump();
    };
    await sink.start();
    this.#sinks.push({ name, sink, metrics });
    return { name, sink, metrics };
  }

  /** A route of one guest, or of a chain; not serving yet if that is left out. */
  async route(sinks: readonly RouteSink[], guests?: Guests, breaker?: BreakerLimits): Promise<Route> {
    const { metrics, report, isolate, spool } = this;
    const name = `route${this.routes.length}`;
    const states = () => this.states;
    const route = new Route(name, this.pool, sinks, this.#origins, metrics, report, isolate, {
      states,
      spool,
    });
    this.routes.push(route);
    if (guests !== undefined) await this.serve(route, guests, breaker);
    return route;
  }

  async serve(route: Route, guests: Guests, breaker?: BreakerLimits): Promise<void> {
    await route.swap({
      stages: await Promise.all([guests].flat().map(stageOf)),
      startDeadlineMs: 2000,
      output: 1 << 20,
      snapshotEvery: 1,
      ...(breaker === undefined ? {} : { breaker }),
    });
  }

  /** Waits for a line of the metrics. */
  async counted(line: string): Promise<void> {
    while (!(await this.metrics.render()).split('\n').includes(line)) await setTimeout(2);
  }

  source(...routes: readonly Route[]): HandSource {
    const feed = new Feed('hand', this.metrics.source('hand'), this.report);
    const source = new HandSource(feed);
    const topic = feed.topic('hand/t');
    assert.equal(topic, 0);
    for (const route of routes) feed.connect(route);
    return source;
  }
}

function push(source: HandSource, payload: string | Uint8Array): number {
  const bytes = Buffer.from(payload);
  return source.feed.push(0, Stamp.ofMs(Date.now()), bytes, 0, bytes.length);
}

/** Confirms the publication with this index at the server. */
function confirm(server: TestServer, index: number): void {
  const [connection] = server.connections;
  connection!.send({ cmd: 'puback', messageId: server.published[index]!.messageId! });
}

test('delivered comes only after PUBACK, and in the order of the source though confirmations come in another', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server)], 'echo');
  const source = rig.source(route);
  // One batch each, so that each has a ticket of its own.
  for (let n = 1; n <= 4; n++) {
    assert.equal(push(source, `frame ${n}`), n);
    await server.until(() => server.published.length === n);
  }
  assert.deepEqual(source.told, []);
  assert.equal(route.slot.ring.inUse, 0, 'slabs do not wait for confirmations');
  for (const index of [3, 1, 2]) confirm(server, index);
  await rig.counted('sluice_messages_total{sink="sink0"} 3');
  assert.deepEqual(source.told, [], 'the first one is not confirmed');
  assert.equal(source.feed.isHeldUp, true, 'its sender may wait for that');
  confirm(server, 0);
  await source.until('all four', () => source.told.at(-1) === 4);
  assert.equal(source.feed.isHeldUp, false);
  assert.deepEqual(
    source.told,
    [...source.told].sort((a, b) => a - b),
  );
});

test('a frame that feeds two routes is delivered when both have delivered it', async t => {
  const rig = new RouteRig(t);
  const [one, two] = [await rig.server(), await rig.server()];
  const source = rig.source(
    await rig.route([await rig.sink(one)], 'echo'),
    await rig.route([await rig.sink(two)], 'echo'),
  );
  for (const n of [1, 2]) {
    push(source, `frame ${n}`);
    await one.until(() => one.published.length === n);
    await two.until(() => two.published.length === n);
  }
  for (const index of [0, 1]) confirm(one, index);
  confirm(two, 0);
  await rig.counted('sluice_messages_total{sink="sink0"} 2');
  await rig.counted('sluice_messages_total{sink="sink1"} 1');
  assert.deepEqual(source.told, [1]);
  confirm(two, 1);
  await source.until('both', () => source.told.at(-1) === 2);
  assert.deepEqual(source.told, [1, 2]);
});

test('a frame goes to each route whose filter fits its topic, and one that fits none is counted and done with', async t => {
  const rig = new RouteRig(t);
  const [left, right] = [await rig.server(), await rig.server()];
  const a = await rig.route([await rig.sink(left)], 'echo');
  const b = await rig.route([await rig.sink(right)], 'echo');
  const feed = new Feed('hand', rig.metrics.source('hand'), rig.report);
  const source = new HandSource(feed);
  const early = feed.topic('s/1/raw');
  feed.connect(a, [new TopicFilter('s/+/raw'), new TopicFilter('s/1/#')]);
  feed.connect(b, [new TopicFilter('s/2/#')]);
  const late = feed.topic('s/2/raw');
  const none = feed.topic('other');
  const send = (topic: number, text: string): number => {
    const bytes = Buffer.from(text);
    return feed.push(topic, Stamp.ofMs(Date.now()), bytes, 0, bytes.length);
  };
  assert.deepEqual([send(early, 'a'), send(late, 'ab'), send(none, '-'), send(early, 'a')], [1, 2, 3, 4]);
  await left.until(() => left.published.length === 3);
  await right.until(() => right.published.length === 1);
  assert.deepEqual([left.payloads, right.payloads], [['a', 'ab', 'a'], ['ab']]);
  for (const index of [0, 1, 2]) confirm(left, index);
  confirm(right, 0);
  await source.until('all', () => source.told.at(-1) === 4);
  // A topic that nobody is for, alone in its turn, is delivered at once, and its number may be given to another.
  send(none, '-');
  await source.until('what nobody is for', () => source.told.at(-1) === 5);
  await rig.counted('sluice_polls_skipped_total{source="hand",code="SLUICE_SOURCE_UNROUTED"} 2');
  const text = Buffer.from('s/2/x');
  feed.topicOf(text, 0, text.length, none);
  send(none, 'b');
  await right.until(() => right.published.length === 2);
  assert.deepEqual([left.payloads.length, right.payloads], [3, ['ab', 'b']]);
});

test('while one route has no room a source of two gets none in either, and is told when there is', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const [serving, waiting] = [
    await rig.route([await rig.sink(server)], 'echo'),
    await rig.route([await rig.sink(server)]),
  ];
  const source = rig.source(serving, waiting);
  let taken = 0;
  while (push(source, `frame ${taken + 1}`) !== 0) {
    taken++;
    // The route that runs is never the one that is full.
    if (taken % 16 === 0) await server.until(() => server.published.length === taken);
    assert.ok(taken < 10_000, 'the ring of a route that does not run is bounded');
  }
  assert.equal(source.feed.hasRoom(10), false);
  await server.until(() => server.published.length === taken);
  assert.equal(source.resumed, 0);
  await rig.serve(waiting, 'echo');
  await server.until(() => server.published.length === taken * 2);
  await source.until('room', () => source.resumed > 0);
  assert.equal(push(source, 'next'), taken + 1, 'no sequence was used up by what was not taken');
  await source.until('all', () => source.told.at(-1) === taken + 1);
});

test('frames that give no message do not pile up behind one that waits for its confirmation', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server)], 'modbus-json');
  const source = rig.source(route);
  push(source, Buffer.from('000700000005010302002a', 'hex'));
  await server.until(() => server.published.length === 1);
  // A Modbus exception: refused, no message.
  const refused = Buffer.from('000700000003018302', 'hex');
  const last = 500;
  for (let n = 2; n <= last; n++) {
    while (push(source, refused) === 0) await new Promise(setImmediate);
    if (n % 5 === 0) await new Promise(setImmediate);
  }
  await rig.book.line('SLUICE_CONVERT_DEVICE');
  while (route.slot.ring.inUse > 0) await new Promise(setImmediate);
  assert.deepEqual(source.told, []);
  assert.equal(route.unconfirmed, 1);
  confirm(server, 0);
  await source.until('all', () => source.told.at(-1) === last);
  assert.equal(route.unconfirmed, 0);
});

test('a message that the broker refuses for good is counted and holds nothing up', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const route = await rig.route([await rig.sink(server)], 'wildcard-topic');
  const source = rig.source(route);
  push(source, 'good');
  push(source, Buffer.from([0xee]));
  push(source, 'good');
  await source.until('all three', () => source.told.at(-1) === 3);
  assert.equal(server.published.length, 2);
  assert.match(
    await rig.metrics.render(),
    /^sluice_messages_dropped_total\{sink="sink0",code="SLUICE_SINK_TOPIC"\} 1$/m,
  );
});

test('a frame that a guest fails on is delivered only once the quarantine has it, byte for byte', async t => {
  const rig = new RouteRig(t);
  const kept: Uint8Array[] = [];
  const onDisk = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  rig.isolate = ({ frame }) => {
    kept.push(frame.payload);
    came.resolve();
    return onDisk.promise;
  };
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server)], 'trap');
  const source = rig.source(route);
  push(source, Uint8Array.of(0xee, 1, 2, 3));
  await came.promise;
  await new Promise(setImmediate);
  assert.deepEqual(source.told, []);
  assert.deepEqual(kept, [Uint8Array.of(0xee, 1, 2, 3)]);
  onDisk.resolve();
  await source.until('the frame', () => source.told.at(-1) === 1);
});

test('what the version before failed on is told of that version, though it walks on when the next one serves', async t => {
  const rig = new RouteRig(t);
  const kept: Poison[] = [];
  rig.isolate = async poison => void kept.push(poison);
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server, { messages: 1 })], 'trap');
  const source = rig.source(route);
  push(source, 'it takes all the room that the sink has');
  await server.until(() => server.published.length === 1);
  push(source, 'it has no room, and what comes behind it waits');
  push(source, Uint8Array.of(0xee));
  await rig.serve(route, 'echo');
  assert.deepEqual([route.plugins.map(({ name }) => name), kept], [['echo'], []]);
  confirm(server, 0);
  await server.until(() => server.published.length === 2);
  confirm(server, 1);
  await source.until('the frame', () => source.told.at(-1) === 3);
  assert.deepEqual(
    kept.map(({ plugin, fault }) => [plugin, fault.code]),
    [['trap', 'SLUICE_GUEST_TRAP']],
  );
});

test('of a chain a frame is kept with the plugin, the version and the stage that failed; when it is replayed they are told again', async t => {
  const rig = new RouteRig(t);
  const kept = Promise.withResolvers<Poison>();
  rig.isolate = async poison => kept.resolve(poison);
  const route = await rig.route([await rig.sink(await rig.server())], ['echo', 'trap']);
  push(rig.source(route), Uint8Array.of(0xee));
  const { plugin, version, stage, frame } = await kept.promise;
  assert.deepEqual([plugin, version, stage], ['trap', '1.0.0', 1]);
  const replayed = await new Replay(route.entrance).run(frame, { id: 1, at: 1 });
  assert.ok(replayed.outcome === 'refused');
  assert.deepEqual([replayed.plugin, replayed.culprit], ['trap', { version: '1.0.0', stage: 1 }]);
});

test('where a source waits for all its routes, the frames of an open breaker are refused and stop no other route', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const sinks = [await rig.sink(server)];
  const bad = await rig.route(sinks, 'trap', BREAKER);
  const source = rig.source(bad, await rig.route(sinks, 'echo'));
  for (let i = 0; i < 5; i++) push(source, Buffer.from([0xee]));
  await rig.counted('sluice_breaker_state{plugin="trap",route="route0"} 2');
  const last = push(source, 'a frame behind them');
  await source.until('delivery', () => source.told.includes(last));
  await rig.counted('sluice_frames_refused_total{source="hand",plugin="trap",code="SLUICE_BREAKER_OPEN"} 1');
});

test('with a thousand frames on their way into the quarantine the route is full: its source waits, and nothing piles up', {
  timeout: 120_000,
}, async t => {
  const rig = new RouteRig(t);
  let kept = 0;
  let unseen = 0;
  const disk = Promise.withResolvers<void>();
  rig.isolate = ({ fault: { code } }) => {
    kept++;
    if (code === 'SLUICE_BREAKER_OPEN') unseen++;
    return disk.promise;
  };
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const sinks = [await rig.sink(server)];
  const bad = await rig.route(sinks, 'trap', BREAKER);
  const source = rig.source(bad, await rig.route(sinks, 'echo'));
  let pushed = 0;
  for (let full = 0; full < 100; ) {
    if (push(source, Buffer.from([0xee])) === 0) {
      // Before that it waits for the thread.
      if (unseen >= 1000) full++;
      await new Promise(setImmediate);
    } else {
      pushed++;
      full = unseen >= 1000 ? full : 0;
    }
  }
  await rig.counted('sluice_breaker_state{plugin="trap",route="route0"} 2');
  // Those that it failed on wait for themselves.
  assert.ok(pushed > kept && unseen === 1000, `${unseen}, ${kept} of ${pushed}`);
  disk.resolve();
  await source.until('delivery of all', () => source.told.at(-1) === pushed);
  assert.equal(kept, pushed);
});

test('a frame that has no place on the disk is counted once, however often it is asked whether the quarantine has room', {
  timeout: 120_000,
}, async t => {
  const rig = new RouteRig(t);
  let kept = 0;
  rig.isolate = ({ fault: { code } }) => {
    if (code === 'SLUICE_BREAKER_OPEN') kept++;
    return new Promise(() => {});
  };
  const store = new Store({ fault: () => {} });
  t.after(() => store.close());
  const folder = await tempFolder(t);
  useAllQueues(join(folder, 'spool.db'));
  rig.spool = new Spool({ store, folder, maxBytes: 2 ** 26, failed: () => {} });
  await rig.spool.open();
  const bad = await rig.route([await rig.sink(await rig.server())], 'trap', BREAKER);
  const source = rig.source(bad);
  for (let i = 0; i < 5; i++) push(source, Buffer.from([0xee]));
  await rig.counted('sluice_breaker_state{plugin="trap",route="route0"} 2');
  while (kept < 1000) {
    push(source, 'a frame behind them');
    await new Promise(setImmediate);
  }
  push(source, 'one more');
  await new Promise(setImmediate);
  for (let i = 0; i < 10; i++) bad.pump();
  await rig.counted('sluice_parked_refused_total{route="route0",code="SLUICE_SPOOL_QUEUES"} 1000');
  assert.deepEqual(bad.parked?.withoutPlace, ['hand']);
});

test('where a thousand frames that no plugin has run wait for room in the quarantine, one that a plugin fails on keeps nobody behind it waiting', {
  timeout: 120_000,
}, async t => {
  const rig = new RouteRig(t);
  let waiting = 0;
  rig.isolate = ({ fault: { code } }) =>
    code === 'SLUICE_BREAKER_OPEN' ? new Promise(() => waiting++) : Promise.resolve();
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const bad = await rig.route([await rig.sink(server)], 'trap', BREAKER);
  const source = rig.source(bad, await rig.route([], 'echo'));
  for (let i = 0; i < 5; i++) push(source, Buffer.from([0xee]));
  await rig.counted('sluice_breaker_state{plugin="trap",route="route0"} 2');
  while (waiting < 1000) {
    push(source, 'nobody runs it');
    await new Promise(setImmediate);
  }
  await rig.serve(bad, 'trap', BREAKER);
  assert.notEqual(push(source, Buffer.from([0xee])), 0);
  assert.notEqual(push(source, 'good'), 0);
  await server.until(() => server.payloads.includes('good'));
});

test('of large frames fewer are on their way into the quarantine: 16 MiB of them', async t => {
  const rig = new RouteRig(t);
  let kept = 0;
  const disk = Promise.withResolvers<void>();
  rig.isolate = ({ fault: { code } }) => {
    if (code === 'SLUICE_BREAKER_OPEN') kept++;
    return disk.promise;
  };
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const sinks = [await rig.sink(server)];
  const bad = await rig.route(sinks, 'trap', BREAKER);
  const source = rig.source(bad, await rig.route(sinks, 'echo'));
  const frame = Buffer.alloc(2 ** 18, 0xee);
  let pushed = 0;
  for (let full = 0; full < 100 && pushed < 200; ) {
    if (push(source, frame) === 0) {
      full = kept >= 64 ? full + 1 : 0;
      await new Promise(setImmediate);
    } else pushed++;
  }
  assert.ok(pushed > 64 && kept <= 64, `${kept} of ${pushed}`);
  disk.resolve();
  await source.until('delivery of all', () => source.told.at(-1) === pushed);
});

test('where a source feeds one route only, it waits with the frames of the open breaker', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  server.behaviour.puback = () => 0;
  const bad = await rig.route([await rig.sink(server)], 'trap', BREAKER);
  const source = rig.source(bad);
  for (let i = 0; i < 5; i++) push(source, Buffer.from([0xee]));
  await rig.counted('sluice_breaker_state{plugin="trap",route="route0"} 2');
  await source.until('the frames that were refused', () => source.told.includes(5));
  let taken = 0;
  while (push(source, 'a frame behind them') !== 0) taken++;
  assert.ok(taken > 0 && taken <= 4096, `${taken}`);
  assert.equal(source.told.at(-1), 5);
  await rig.serve(bad, 'echo');
  await source.until('delivery of all', () => source.told.at(-1) === 5 + taken);
  assert.ok(source.resumed > 0);
});

test('a source that comes to a route that has worked for another hears of its frames too', async t => {
  const rig = new RouteRig(t);
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server)], 'echo');
  const first = rig.source(route);
  push(first, 'a');
  await server.until(() => server.published.length === 1);
  confirm(server, 0);
  await first.until('its frame', () => first.told.at(-1) === 1);
  // By a ticket that was used before it came.
  const second = rig.source(route);
  push(second, 'b');
  await server.until(() => server.published.length === 2);
  confirm(server, 1);
  await second.until('its frame', () => second.told.at(-1) === 1);
});

test('what a plugin remembers goes to the disk when the frames in it are delivered, and not before', async t => {
  const rig = new RouteRig(t);
  const saved: number[] = [];
  rig.states = {
    load: async () => [],
    save: (_route, states) => {
      saved.push(Number(Buffer.from(states[0]!.bytes).readBigUInt64LE()));
    },
  };
  const server = await rig.server();
  const route = await rig.route([await rig.sink(server)], 'tally');
  const source = rig.source(route);
  for (let n = 1; n <= 4; n++) {
    push(source, 'x');
    await server.until(() => server.published.length === n);
  }
  assert.deepEqual(saved, []);
  confirm(server, 1);
  await rig.counted('sluice_messages_total{sink="sink0"} 1');
  assert.deepEqual(saved, [], 'the first is not confirmed');
  confirm(server, 0);
  await source.until('the first two', () => source.told.at(-1) === 2);
  assert.deepEqual(saved, [1]);
  for (const index of [2, 3]) confirm(server, index);
  await source.until('all', () => source.told.at(-1) === 4);
  assert.equal(saved.at(-1), 4);
});
