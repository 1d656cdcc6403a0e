import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectAsync } from 'mqtt';
import { Waiting } from '../support/devices/gateway-peers.js';
import { type GatewayRig, makeGateway, mqtt, startGateway, variant } from '../support/gateway/gateway-rig.js';
import { CountingBroker } from '../support/gateway/kill-rounds.js';
import { cannotMount, fillDisk, mountSmallDisk } from '../support/gateway/small-disk.js';
import { useAllQueues } from '../support/gateway/spool-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { send } from '../support/sources/http-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';
const PARKED = { route: 'bad' };
const TWO = [
  { name: 'bad', from: 'hooks', through: ['trap'] },
  { name: 'good', from: 'hooks', through: ['echo'] },
];

/** Takes down what the embedded broker gives out, in its order. */
class Heard extends Waiting {
  readonly payloads: string[] = [];

  static async at(t: TestContext, { gateway }: GatewayRig): Promise<Heard> {
    const heard = new Heard();
    const client = await connectAsync(`mqtt://127.0.0.1:${gateway.brokerPort}`, { protocolVersion: 4 });
    client.on('message', (_topic, payload) => {
      heard.payloads.push(payload.toString());
      heard.changed();
    });
    await client.subscribeAsync('#', { qos: 1 });
    t.after(() => client.endAsync(true));
    return heard;
  }

  async atLeast(count: number): Promise<void> {
    await this.until(
      () => `${count} messages, ${this.payloads.length} came`,
      () => this.payloads.length >= count,
    );
  }
}

/** A gateway whose plugin has failed, and is not tried again for as long as a test takes. */
interface Broken {
  readonly at?: string;
  readonly routes?: readonly unknown[];
  readonly sinks?: Record<string, unknown>;
  readonly data?: Record<string, string>;
  readonly files?: readonly string[];
}

/** One that has not started. */
function makeBroken(
  t: TestContext,
  { at, routes, sinks, data, files = ['trap', 'echo'] }: Broken,
): Promise<GatewayRig> {
  return makeGateway(
    t,
    {
      plugins: {
        breaker: { faults: 1, pause: { min: '60s', max: '60s' } },
        probation: { frames: 0, for: '0s' },
      },
      sources: { hooks: { http: { token: TOKEN } } },
      routes: routes ?? [{ name: 'bad', from: 'hooks', through: ['trap'] }],
      ...(sinks === undefined ? {} : { sinks }),
      ...(data === undefined ? {} : { data }),
    },
    files,
    at,
  );
}

/** @param prepare told of its folder before it starts */
async function broken(
  t: TestContext,
  { prepare, ...how }: Broken & { readonly prepare?: (folder: string) => void } = {},
): Promise<GatewayRig> {
  const rig = await makeBroken(t, how);
  const folder = dirname(rig.plugins);
  if (prepare !== undefined) mkdirSync(join(folder, 'data'));
  prepare?.(folder);
  await rig.gateway.start();
  return rig;
}

async function post(rig: GatewayRig, from: number, count: number): Promise<number> {
  const body = Array.from({ length: count }, (_, i) => `{"n":${from + i}}`).join('\n');
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/x-ndjson',
    'content-length': `${body.length}`,
  };
  const asked = { path: '/ingest/hooks', method: 'POST', headers };
  return (await send(rig.gateway.adminPort as number, asked, body)).status;
}

async function postLarge(rig: GatewayRig): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': '50000' };
  const asked = { path: '/ingest/hooks', method: 'POST', headers };
  return (await send(rig.gateway.adminPort as number, asked, Buffer.alloc(50_000))).status;
}

/** The admin API. */
async function ask({ gateway, plugins }: GatewayRig, method: string, path: string) {
  const token = readFileSync(join(dirname(plugins), 'data', 'admin-token'), 'utf8').trim();
  const asked = { path, method, headers: { authorization: `Bearer ${token}` } };
  return JSON.parse((await send(gateway.adminPort as number, asked, '')).body);
}

async function open(rig: GatewayRig): Promise<void> {
  await postPoison(rig);
  await rig.book.line('SLUICE_BREAKER_OPEN', { opening: '1' });
}

async function mend({ plugins }: GatewayRig): Promise<void> {
  await writeFile(join(plugins, '.next'), await variant('echo', { name: 'trap', version: '2.0.0' }));
  await rename(join(plugins, '.next'), join(plugins, 'trap.wasm'));
}

const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `{"n":${i}}`);

test('frames of a route whose breaker is open are on the disk, their sender is told so, and they go through the next file in their order, before what is fresh', async t => {
  const rig = await broken(t);
  const heard = await Heard.at(t, rig);
  await open(rig);
  // Many times what the ring holds: without the disk nobody would be answered.
  for (let from = 0; from < 3000; from += 500) assert.equal(await post(rig, from, 500), 202);
  assert.equal(await rig.metric('sluice_parked_appended_total', PARKED), 3000);
  assert.deepEqual(heard.payloads, []);
  await mend(rig);
  for (let from = 3000; from < 4000; from += 100) assert.equal(await post(rig, from, 100), 202);
  await heard.atLeast(4000);
  assert.deepEqual(heard.payloads, upTo(4000));
  await rig.book.said(/^\d+ frames that waited on the disk have gone through the plugins of bad$/);
  await rig.falls(0, 'sluice_parked_frames', PARKED);
  const appended = await rig.metric('sluice_parked_appended_total', PARKED);
  await rig.reaches(appended, 'sluice_parked_returned_total', PARKED);
  // Nothing is put on the disk any more.
  assert.equal(await post(rig, 4000, 10), 202);
  await heard.atLeast(4010);
  assert.equal(await rig.metric('sluice_parked_appended_total', PARKED), appended);
});

test('what waits for its plugins outlives the gateway', async t => {
  const first = await broken(t);
  await open(first);
  assert.equal(await post(first, 0, 700), 202);
  await first.gateway.stop();
  await rm(join(first.plugins, 'trap.wasm'));
  const rig = await broken(t, { at: dirname(first.plugins), files: [] });
  const heard = await Heard.at(t, rig);
  // There is no plugin yet, and this is behind what waits for it.
  assert.equal(await post(rig, 700, 300), 202);
  await rig.reaches(1000, 'sluice_parked_frames', PARKED);
  await rig.drop('trap');
  await heard.atLeast(1000);
  assert.deepEqual(heard.payloads, upTo(1000));
});

test('a start waits for a spool that cannot be opened yet, so that what is in it comes before what is fresh', async t => {
  const broker = new CountingBroker();
  const sinks = { plant: mqtt(await broker.start(), { prefix: 'out/' }) };
  t.after(() => broker.stop());
  const first = await broken(t, { sinks });
  await open(first);
  assert.equal(await post(first, 0, 700), 202);
  await first.gateway.stop();
  await mend(first);
  const folder = dirname(first.plugins);
  const file = join(folder, 'data', 'spool.db');
  await rename(file, `${file}.hidden`);
  mkdirSync(file);
  const rig = await makeBroken(t, { sinks, at: folder, files: [] });
  const started = rig.gateway.start();
  await rig.book.line('SLUICE_STORE_FAILED', { file: 'spool.db' });
  rmdirSync(file);
  await rename(`${file}.hidden`, file);
  await started;
  assert.equal(await post(rig, 700, 100), 202);
  await broker.until('what is fresh', () => broker.counts.has('{"n":799}'));
  assert.deepEqual([...broker.counts.keys()], upTo(800));
  await rig.falls(0, 'sluice_parked_frames', PARKED);
});

/** Its breaker opens at the first fault, and tries again after so long. */
function tiredAtOnce(t: TestContext, pause: string): Promise<GatewayRig> {
  return startGateway(
    t,
    {
      plugins: { breaker: { faults: 1, pause: { min: pause, max: pause } } },
      sources: { hooks: { http: { token: TOKEN } } },
      routes: [{ name: 'bad', from: 'hooks', through: ['trap'] }],
    },
    ['trap'],
  );
}

async function postPoison(rig: GatewayRig): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': '1' };
  const asked = { path: '/ingest/hooks', method: 'POST', headers };
  await send(rig.gateway.adminPort as number, asked, Buffer.from([0xee]));
}

test('a plugin that fails again on its trial loses nothing of what waits, and what waits is in order behind it', async t => {
  const rig = await tiredAtOnce(t, '100ms');
  const heard = await Heard.at(t, rig);
  await open(rig);
  assert.equal(await post(rig, 0, 100), 202);
  // It fails over this one as often as it is tried: once, and then it is in quarantine.
  await postPoison(rig);
  assert.equal(await post(rig, 100, 100), 202);
  await heard.atLeast(200);
  assert.deepEqual(heard.payloads, upTo(200));
  await rig.reaches(2, 'sluice_frames_quarantined_total', { source: 'hooks' });
});

test('a route whose frames wait on the disk leaves the other route of the same sender alone', async t => {
  const rig = await broken(t, { routes: TWO });
  const heard = await Heard.at(t, rig);
  await open(rig);
  await heard.atLeast(1);
  assert.equal(await post(rig, 0, 2000), 202);
  await heard.atLeast(2001);
  assert.deepEqual(heard.payloads.slice(1), upTo(2000));
  assert.equal(await rig.metric('sluice_frames_refused_total', { code: 'SLUICE_BREAKER_OPEN' }), 0);
});

test('what has gone through when a gateway stops in the midst does not go through again after the next start', async t => {
  const broker = new CountingBroker();
  const sinks = { plant: mqtt(await broker.start(), { prefix: 'out/' }) };
  t.after(() => broker.stop());
  const first = await broken(t, { sinks });
  await open(first);
  for (let from = 0; from < 3000; from += 1000) assert.equal(await post(first, from, 1000), 202);
  await mend(first);
  await broker.until('some of it', () => broker.counts.size > 0);
  await first.gateway.stop();
  const through = broker.counts.size;
  assert.ok(through < 3000, `stopped in the midst, ${through} had gone through`);
  await broken(t, { sinks, at: dirname(first.plugins), files: [] });
  await broker.until('all of it', () => broker.counts.size === 3000);
  assert.deepEqual([...broker.counts.keys()], upTo(3000));
  assert.deepEqual(
    [...broker.counts.values()].filter(count => count > 1),
    [],
  );
});

test('what waits for a plugin without a route in the configuration is not lost to a file of it that cannot serve', async t => {
  const alone = { name: 'lone', accepts: ['http'] };
  const place = async ({ plugins }: GatewayRig, guest: string, version: string): Promise<void> => {
    await writeFile(join(plugins, '.next'), await variant(guest, { ...alone, version }));
    await rename(join(plugins, '.next'), join(plugins, 'lone.wasm'));
  };
  const broker = new CountingBroker();
  const sinks = { plant: mqtt(await broker.start(), { prefix: 'out/' }) };
  t.after(() => broker.stop());
  const first = await broken(t, { routes: [], files: [], sinks });
  await place(first, 'trap', '1.0.0');
  await first.book.said(/lone.wasm serves/);
  await open(first);
  assert.equal(await post(first, 0, 10), 202);
  await first.gateway.stop();
  await place(first, 'missing-export', '2.0.0');
  const rig = await broken(t, { routes: [], files: [], sinks, at: dirname(first.plugins) });
  await rig.book.said(/lone.wasm is refused/);
  await place(rig, 'echo', '3.0.0');
  // The version that served last may have taken the place of the one that cannot: then it is behind these.
  await broker.until('all that waited', () => broker.counts.size === 10);
  assert.deepEqual(
    [...broker.counts],
    upTo(10).map(text => [text, 1]),
  );
});

test('a disk that is full of what waits for one plugin does not keep the other route of the same sender waiting', async t => {
  const rig = await broken(t, { routes: TWO, data: { max: '1MiB' } });
  const heard = await Heard.at(t, rig);
  await open(rig);
  await heard.atLeast(1);
  // Six times what the disk takes.
  const answers: Promise<number>[] = [];
  for (let sent = 0; sent < 90; sent += 30) {
    for (let n = 0; n < 30; n++) answers.push(postLarge(rig));
    await heard.atLeast(1 + sent + 30);
  }
  // What was on its way to the disk when it was full is given back too, so that nobody waits for an answer.
  const stati = await Promise.all(answers);
  const refused = stati.filter(status => status === 503).length;
  assert.equal(stati.filter(status => status === 202).length + refused, 90);
  assert.ok(refused > 0);
  await rig.book.line('SLUICE_STORE_FULL', PARKED);
  const full = { ...PARKED, code: 'SLUICE_STORE_FULL' };
  assert.equal(await rig.metric('sluice_parked_refused_total', full), refused);
  assert.ok((await rig.metric('sluice_parked_failures_total', full)) > 0);
  assert.equal(await rig.metric('sluice_frames_refused_total', { code: 'SLUICE_BREAKER_OPEN' }), refused);
  assert.match(
    (await rig.ready()).reasons.join(),
    /^route bad: the circuit breaker of trap is open: .*; its frames cannot be put on the disk: .*spool.db is at its bound of 0.4 MiB for frames that wait for plugins/,
  );
  const [bad, good] = (await ask(rig, 'GET', '/v1/routes')).routes;
  assert.equal(bad.parked.fault.code, 'SLUICE_STORE_FULL');
  assert.equal(good.parked, undefined);
  // Shown four times a second: it may say still that there are none.
  await rig.reaches(1, 'sluice_parked_frames', PARKED);
  // The next version makes room.
  await mend(rig);
  await rig.falls(0, 'sluice_parked_frames', PARKED);
  assert.deepEqual((await rig.ready()).reasons, []);
  assert.equal(await postLarge(rig), 202);
});

test('on a disk that was full, frames are put down again as soon as there is room, though their breaker is still open', {
  skip: cannotMount(),
}, async t => {
  const disk = mountSmallDisk('24m');
  t.after(() => disk.remove());
  const { dir } = disk;
  const rig = await broken(t, { routes: TWO, data: { dir } });
  await open(rig);
  fillDisk(dir);
  for (let status = 202; status === 202; ) status = await postLarge(rig);
  for (const name of readdirSync(dir)) if (name.startsWith('ballast')) rmSync(join(dir, name));
  const before = await rig.metric('sluice_parked_appended_total', PARKED);
  while ((await postLarge(rig)) !== 202);
  await rig.reaches(before + 1, 'sluice_parked_appended_total', PARKED);
  assert.doesNotMatch((await rig.ready()).reasons.join(), /disk/);
});

test('what an acknowledged source has sent waits where neither the disk nor the quarantine has room, and is not gone', {
  skip: cannotMount(),
}, async t => {
  const disk = mountSmallDisk('24m');
  t.after(() => disk.remove());
  const { dir } = disk;
  const broker = new CountingBroker();
  const port = await broker.start();
  t.after(() => broker.stop());
  const floor = { ...mqtt(port).mqtt, qos: 1, clientId: 'floor', topics: ['in/#'] };
  const rig = await startGateway(
    t,
    {
      sources: { floor: { mqtt: floor } },
      sinks: { plant: mqtt(port, { prefix: 'out/' }) },
      routes: [
        { name: 'bad', from: 'floor', through: ['absent'] },
        { name: 'good', from: 'floor', through: ['echo'] },
      ],
      data: { dir },
    },
    ['echo'],
  );
  await broker.read();
  fillDisk(dir);
  const sender = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
  t.after(() => sender.endAsync(true));
  const sent = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(20_000, '.'));
  for (const text of sent) await sender.publishAsync('in/x', text, { qos: 1 });
  await rig.book.said(/it waits for room there, and its source with it/);
  assert.ok(broker.acknowledged < sent.length, `${broker.acknowledged} acknowledged`);
  for (const name of readdirSync(dir)) if (name.startsWith('ballast')) rmSync(join(dir, name));
  await broker.until('all acknowledged', () => broker.acknowledged === sent.length);
  await broker.until('all through the other route', () => broker.counts.size === sent.length);
  assert.equal(await rig.metric('sluice_quarantine_dropped_total'), 0);
  const onDisk = await rig.metric('sluice_parked_appended_total', PARKED);
  assert.equal(onDisk + (await rig.metric('sluice_quarantine_frames')), sent.length);
});

test('what cannot be kept anywhere when the gateway stops is not called gone: it was never confirmed, and comes again', async t => {
  const broker = new CountingBroker();
  const port = await broker.start();
  t.after(() => broker.stop());
  const floor = { ...mqtt(port).mqtt, qos: 1, clientId: 'floor', topics: ['in/#'] };
  const config = {
    sources: { floor: { mqtt: floor } },
    sinks: { plant: mqtt(port, { prefix: 'out/' }) },
    routes: [
      { name: 'bad', from: 'floor', through: ['absent'] },
      { name: 'good', from: 'floor', through: ['echo'] },
    ],
    data: { max: '1MiB' },
  };
  const rig = await startGateway(t, config, ['echo']);
  await broker.read();
  const sender = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
  t.after(() => sender.endAsync(true));
  // More than disk and quarantine hold together.
  const sent = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(20_000, '.'));
  for (const text of sent) await sender.publishAsync('in/x', text, { qos: 1 });
  await rig.book.said(/it waits for room there, and its source with it/);
  await broker.until('all through the other route', () => broker.counts.size === sent.length);
  const { reasons } = await rig.ready();
  assert.ok(
    reasons.some((text: string) =>
      /^route bad: \d+ frames that no plugin has run wait in memory, .*reset\), or into quarantine when there is room/.test(
        text,
      ),
    ),
    reasons.join('; '),
  );
  await rig.gateway.stop();
  assert.deepEqual(
    rig.book.lines.filter(({ msg }) => msg.includes('is gone')),
    [],
  );
  assert.equal(await rig.metric('sluice_quarantine_dropped_total'), 0);
  const left = await rig.book.line('SLUICE_SINK_ABANDONED', { source: 'floor' });
  const unconfirmed = sent.length - (await rig.metric('sluice_delivered_total', { source: 'floor' }));
  assert.ok(unconfirmed > 0);
  assert.match(left.msg, new RegExp(`^${unconfirmed} of the 50 frames taken from floor were not confirmed`));
  // Whoever waits for the confirmation sends them again.
  const { acknowledged } = broker;
  const next = await startGateway(t, { ...config, data: {} }, ['echo'], dirname(rig.plugins));
  await broker.until('the rest', () => broker.acknowledged >= acknowledged + unconfirmed);
  assert.equal(await next.metric('sluice_frames_total', { source: 'floor' }), sent.length - acknowledged);
  assert.ok(rig.book.lines.every(({ msg }) => !msg.includes('is gone')));
});

test('what is replayed while frames come back from the disk does not wait behind them, nor is it refused', async t => {
  const broker = new CountingBroker();
  const port = await freePort();
  const sinks = { plant: { ...mqtt(port, { prefix: 'out/', window: { messages: 20 } }), spool: false } };
  const rig = await broken(t, { sinks });
  await open(rig);
  await rig.reaches(1, 'sluice_quarantine_frames');
  assert.equal(await post(rig, 0, 1000), 202);
  const [{ id }] = (await ask(rig, 'GET', '/v1/quarantine')).frames;
  const early = await ask(rig, 'POST', `/v1/quarantine/${id}/replay`);
  assert.deepEqual([early.outcome, early.code], ['refused', 'SLUICE_BREAKER_OPEN']);
  assert.match(early.message, /^the circuit breaker of trap is open, so the frame was not run; it stays/);
  assert.equal((await ask(rig, 'GET', `/v1/quarantine/${id}`)).code, 'SLUICE_GUEST_TRAP');
  await mend(rig);
  await rig.book.said(/trap.wasm serves \(generation 2/);
  // All is held up by the broker that is not there yet.
  const replayed = ask(rig, 'POST', `/v1/quarantine/${id}/replay`);
  await broker.start(port);
  t.after(() => broker.stop());
  assert.equal((await replayed).outcome, 'delivered');
  await broker.until('all of it', () => broker.counts.size === 1001);
});

test('a source for which the spool has no queue left is refused with a counter, and its routes go on', async t => {
  const rig = await broken(t, {
    prepare: folder => useAllQueues(join(folder, 'data', 'spool.db')),
  });
  await open(rig);
  assert.equal((await rig.ready()).ready, true);
  for (let n = 0; n < 2; n++) assert.equal(await post(rig, 0, 10), 503);
  const none = { ...PARKED, code: 'SLUICE_SPOOL_QUEUES' };
  assert.equal(await rig.metric('sluice_parked_refused_total', none), 20);
  // No disk has failed.
  assert.equal(await rig.metric('sluice_parked_failures_total', none), 0);
  await rig.book.line('SLUICE_SPOOL_QUEUES', PARKED);
  const { ready, reasons } = await rig.ready();
  assert.equal(ready, false);
  assert.match(
    reasons.join(),
    /its frames wait on the disk, but those of hooks are refused: there is no place for them \(SLUICE_SPOOL_QUEUES\)$/,
  );
  const [bad] = (await ask(rig, 'GET', '/v1/routes')).routes;
  assert.deepEqual(bad.parked.withoutPlace, ['hooks']);
});

test('a plugin that is disabled or not there keeps no other route of a sender waiting: its frames are on the disk, and go through it in their order when it is back', async t => {
  const rig = await broken(t, { routes: TWO, files: ['echo'] });
  const heard = await Heard.at(t, rig);
  assert.equal(await post(rig, 0, 2000), 202);
  await heard.atLeast(2000);
  assert.equal(await rig.metric('sluice_parked_appended_total', PARKED), 2000);
  await rig.drop('trap');
  await heard.atLeast(4000);
  assert.deepEqual(heard.payloads, [...upTo(2000), ...upTo(2000)]);
  await ask(rig, 'POST', '/v1/plugins/trap/disable');
  assert.equal(await post(rig, 2000, 2000), 202);
  await heard.atLeast(6000);
  assert.deepEqual(await rig.degraded('SLUICE_ROUTE_UNSERVED'), [
    'route bad: the plugin trap is disabled; its frames wait on the disk',
  ]);
  const [bad] = (await ask(rig, 'GET', '/v1/routes')).routes;
  assert.deepEqual([bad.state, bad.code], ['disabled', 'SLUICE_ROUTE_UNSERVED']);
  await ask(rig, 'POST', '/v1/plugins/trap/enable');
  await heard.atLeast(8000);
  assert.deepEqual(heard.payloads.slice(4000), [...upTo(4000).slice(2000), ...upTo(4000).slice(2000)]);
});

test('with `whenOpen: refuse` the sender of a frame for a plugin that is not there is told so', async t => {
  const routes = [{ name: 'bad', from: 'hooks', through: ['trap'], whenOpen: 'refuse' }];
  const rig = await broken(t, { routes, files: [] });
  assert.equal(await post(rig, 0, 10), 503);
  const refused = { plugin: 'trap', code: 'SLUICE_ROUTE_UNSERVED' };
  assert.equal(await rig.metric('sluice_frames_refused_total', refused), 10);
  await rig.drop('trap');
  await rig.book.said(/trap.wasm serves/);
  assert.equal(await post(rig, 0, 10), 202);
});

test('with `whenOpen: refuse` what comes while frames of before wait on the disk waits behind them, and readiness says so', async t => {
  const first = await broken(t, { files: [] });
  assert.equal(await post(first, 0, 10), 202);
  await first.gateway.stop();
  const routes = [{ name: 'bad', from: 'hooks', through: ['trap'], whenOpen: 'refuse' }];
  const rig = await broken(t, { at: dirname(first.plugins), routes, files: [] });
  const behind = [
    'route bad waits for the plugin trap; its frames wait on the disk, behind those that are there from before: `whenOpen: refuse` holds again when they have gone through',
  ];
  assert.deepEqual(await rig.degraded('SLUICE_PLUGIN_UNKNOWN'), behind);
  assert.equal(await post(rig, 10, 10), 202);
  assert.deepEqual(await rig.degraded('SLUICE_PLUGIN_UNKNOWN'), behind);
  const heard = await Heard.at(t, rig);
  await rig.drop('trap');
  await heard.atLeast(20);
  assert.deepEqual(heard.payloads, upTo(20));
  await rig.falls(0, 'sluice_parked_frames', PARKED);
  await ask(rig, 'POST', '/v1/plugins/trap/disable');
  assert.equal(await post(rig, 20, 10), 503);
  assert.match((await rig.ready()).reasons.join(), /its frames are refused \(`whenOpen: refuse`\)$/);
});

test('what has filled the disk goes through a plugin that is back, and all that waits for room behind it', async t => {
  const rig = await broken(t, { data: { max: '1MiB' } });
  const heard = await Heard.at(t, rig);
  await open(rig);
  // Five times what the disk takes.
  const answers = Array.from({ length: 40 }, () => postLarge(rig));
  await rig.book.line('SLUICE_STORE_FULL', PARKED);
  await mend(rig);
  assert.deepEqual(new Set(await Promise.all(answers)), new Set([202]));
  await heard.atLeast(40);
  await rig.falls(0, 'sluice_parked_frames', PARKED);
});

test('what a failed trial has not run is the next to come, before what lies behind it on the disk', async t => {
  const rig = await tiredAtOnce(t, '300ms');
  const heard = await Heard.at(t, rig);
  await open(rig);
  assert.equal(await post(rig, 0, 100), 202);
  await postPoison(rig);
  // More than are brought back at once.
  for (let from = 100; from < 4100; from += 1000) assert.equal(await post(rig, from, 1000), 202);
  await heard.atLeast(4100);
  assert.deepEqual(heard.payloads, upTo(4100));
});
