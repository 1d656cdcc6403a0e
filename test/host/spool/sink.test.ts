import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { IPublishPacket } from 'mqtt-packet';
import { CountingPlc } from '../../support/devices/gateway-peers.js';
import {
  type GatewayRig,
  modbus,
  mqtt,
  startGateway,
  tempFolder,
} from '../../support/gateway/gateway-rig.js';
import { cannotMount, fillDisk, mountSmallDisk } from '../../support/gateway/small-disk.js';
import { TestServer } from '../../support/mqtt/mqtt-server.js';
import { send } from '../../support/sources/http-rig.js';

const PLANT = { sink: 'plant' };
const TOKEN = 'k3J9_xQ7mB2vN8pR';

/** A device and a broker of 5.0; `away` while the broker is not to be there. */
async function peersOf(t: TestContext) {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  return {
    plc,
    server,
    away(): void {
      server.behaviour.connack = 0x88;
      server.cut();
    },
    back(): void {
      server.behaviour.connack = 0;
    },
  };
}

function configOf(plc: number, server: number, more: Record<string, unknown> = {}, route = {}) {
  return {
    sources: { line1: modbus(plc) },
    sinks: { plant: mqtt(server, { version: 5 }) },
    routes: [{ from: 'line1', through: ['modbus-json'], ...route }],
    ...more,
  };
}

function propertyOf(packet: IPublishPacket, name: string): string | undefined {
  return packet.properties?.userProperties?.[name] as string | undefined;
}

function sequenceOf(packet: IPublishPacket): number {
  const { values } = JSON.parse(packet.payload.toString()) as { values: number[] };
  return (values[1] as number) * 65536 + (values[2] as number);
}

/** Sequences from 1 to the highest that never came. */
function missing({ published }: TestServer): number[] {
  const seen = new Set(published.map(sequenceOf));
  return Array.from({ length: Math.max(...seen) }, (_, i) => i + 1).filter(n => !seen.has(n));
}

async function spooled(rig: GatewayRig, records: number): Promise<void> {
  await rig.reaches(records, 'sluice_spool_records', PLANT);
}

/** Waits until nothing is left in the spool. */
async function emptied(rig: GatewayRig): Promise<void> {
  await rig.falls(0, 'sluice_spool_records', PLANT);
}

test('every message has one id, out of the spool as well, and repeats carry the same', async t => {
  const { plc, server, away, back } = await peersOf(t);
  const rig = await startGateway(t, configOf(plc.port, server.port), ['modbus-json']);
  await server.until(() => server.published.length >= 20);
  away();
  await spooled(rig, 50);
  back();
  await emptied(rig);
  await rig.gateway.stop();
  assert.deepEqual(missing(server), []);
  const ids = new Map<string, number>();
  for (const packet of server.published) {
    const id = propertyOf(packet, 'sluice-id') ?? '';
    assert.match(id, /^[^/]+\/line1\/1-\d+$/);
    assert.equal(ids.get(id) ?? sequenceOf(packet), sequenceOf(packet), `${id} names two messages`);
    ids.set(id, sequenceOf(packet));
    assert.equal(propertyOf(packet, 'sluice-late'), undefined);
  }
  assert.equal(ids.size, new Set(ids.values()).size, 'a message has two ids');
});

test('a clock that jumps while messages are put down changes nothing: they go out in their order, none lost, none twice', async t => {
  const { plc, server, away, back } = await peersOf(t);
  const rig = await startGateway(t, configOf(plc.port, server.port), ['modbus-json']);
  const { now } = Date;
  const jump = (ms: number) => t.mock.method(Date, 'now', () => now() + ms);
  away();
  await spooled(rig, 20);
  jump(-86_400_000);
  await spooled(rig, 40);
  jump(86_400_000);
  await spooled(rig, 60);
  assert.ok((await rig.metric('sluice_spool_oldest_seconds', PLANT)) >= 0);
  back();
  await emptied(rig);
  await rig.gateway.stop();
  const order = server.published.map(sequenceOf);
  assert.deepEqual(
    order,
    Array.from(order, (_, index) => index + 1),
  );
});

test('fresh-first: when the broker is back fresh messages do not wait, and those of the spool are marked', async t => {
  const { plc, server, away, back } = await peersOf(t);
  const config = configOf(plc.port, server.port, {}, { catchUp: 'fresh-first' });
  const sinks = { plant: { ...config.sinks.plant, spool: { rate: 100 } } };
  const rig = await startGateway(t, { ...config, sinks }, ['modbus-json']);
  await server.until(() => server.published.length >= 20);
  away();
  // What had come within the first second waits in the window, and has a copy only.
  await spooled(rig, 400);
  const polled = plc.replies;
  back();
  await emptied(rig);
  await rig.gateway.stop();
  assert.deepEqual(missing(server), []);
  const late = server.published.filter(packet => propertyOf(packet, 'sluice-late') === 'true');
  assert.ok(late.length >= 50, `${late.length}`);
  // The spool gives a hundred a second, so what was polled when the broker was back came in between, early on.
  const fresh = server.published.findIndex(packet => sequenceOf(packet) > polled + 20);
  const before = late.filter(packet => server.published.indexOf(packet) < fresh);
  assert.ok(
    fresh >= 0 && before.length < late.length / 2,
    `${before.length} of ${late.length} came before fresh ones`,
  );
  assert.deepEqual(
    late.map(sequenceOf),
    late.map(sequenceOf).toSorted((a, b) => a - b),
  );
});

test('a broker that takes messages and confirms none: their devices are told once they are on the disk', async t => {
  const { plc, server } = await peersOf(t);
  server.behaviour.puback = () => 'none';
  const rig = await startGateway(t, configOf(plc.port, server.port), ['modbus-json']);
  await rig.reaches(100, 'sluice_delivered_total', { source: 'line1' });
  assert.equal(await rig.metric('sluice_messages_total', PLANT), 0, 'nothing was confirmed');
  assert.equal((await rig.ready()).ready, true);
  // It comes back to its senses on the next connection.
  server.behaviour.puback = () => 0;
  server.cut();
  await emptied(rig);
  await rig.gateway.stop();
  assert.deepEqual(missing(server), []);
});

for (const [whenFull, code, words] of [
  ['keep-newest', 'SLUICE_SPOOL_OLDEST', /made room for newer/],
  ['down-sample', 'SLUICE_SPOOL_THINNED', /made room: every second one of the older half/],
] as const) {
  test(`${whenFull}: at the bound messages make room, counted by their reason, and polls go on`, async t => {
    const { plc, server, away, back } = await peersOf(t);
    const tags = Array.from({ length: 40 }, (_, i) => ({
      name: `a-long-name-${i}`.repeat(8),
      register: 0,
      type: 'u16',
    }));
    const through = [{ plugin: 'modbus-json', config: { tags } }];
    const route = { through, whenFull };
    // Copies of what the window holds make no room: on a slow machine a wider one alone would come to the bound.
    const sinks = { plant: mqtt(server.port, { version: 5, window: { messages: 20 } }) };
    const config = configOf(plc.port, server.port, { data: { max: '1MiB' }, sinks }, route);
    const rig = await startGateway(t, config, ['modbus-json']);
    away();
    const dropped = ['sluice_spool_dropped_total', { ...PLANT, code }] as const;
    await rig.reaches(1, ...dropped);
    const line = await rig.book.line(code);
    assert.match(line.msg, /^\d+ messages of line1 \(route line1\) for plant in the spool made room/);
    assert.match(line.msg, words);
    back();
    await server.until(() => server.published.length >= 50);
  });
}

test('ordered: what a source sends waits behind what waits of its own, and not behind that of another', async t => {
  const { plc, server, away, back } = await peersOf(t);
  const config = configOf(plc.port, server.port);
  const rig = await startGateway(
    t,
    {
      sources: { ...config.sources, hooks: { http: { token: TOKEN } } },
      sinks: { plant: { ...config.sinks.plant, spool: { rate: 20 } } },
      routes: [...config.routes, { from: 'hooks', through: ['echo'] }],
    },
    ['modbus-json', 'echo'],
  );
  away();
  await spooled(rig, 400);
  const due = plc.replies;
  const before = server.published.length;
  back();
  await server.until(() => server.published.length > before);
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': '1' };
  const path = '/ingest/hooks';
  const port = rig.gateway.adminPort as number;
  assert.equal((await send(port, { path, method: 'POST', headers }, Buffer.from('x'))).status, 202);
  const isIts = ({ topic }: IPublishPacket): boolean => topic.startsWith('hooks');
  await server.until(() => server.published.some(isIts));
  // What was in the window goes first, then those of the spool, twenty a second, each source in its turn.
  const own = server.published.filter(packet => !isIts(packet)).map(sequenceOf);
  const passed = new Set(own.slice(0, server.published.findIndex(isIts)));
  assert.ok(passed.size < due - 50, `${passed.size} of ${due} that had come before went first`);
  assert.deepEqual(
    own.slice(before),
    own.slice(before).toSorted((a, b) => a - b),
  );
});

test('a sink that is no longer configured is told of, with what waits for it', async t => {
  const { plc, server, away } = await peersOf(t);
  const data = { dir: join(await tempFolder(t), 'data') };
  away();
  const first = await startGateway(t, configOf(plc.port, server.port, { data }), ['modbus-json']);
  await spooled(first, 20);
  await first.gateway.stop();
  const { sinks, ...rest } = configOf(plc.port, server.port, { data });
  const second = await startGateway(t, { ...rest, sinks: { other: sinks.plant } }, ['modbus-json']);
  const line = await second.book.line('SLUICE_SPOOL_UNCLAIMED', PLANT);
  assert.match(line.msg, /^\d+ messages wait in the spool for the sink plant/);
});

for (const [what, harm] of [
  ['cut off', (file: string) => truncateSync(file, 10_000)],
  ['something else', (file: string) => writeFileSync(file, Buffer.alloc(20_000, 'x'))],
] as const) {
  test(`a spool.db that is ${what} is renamed and said, and the gateway starts and spools`, async t => {
    const { plc, server, away } = await peersOf(t);
    const dir = join(await tempFolder(t), 'data');
    away();
    const config = configOf(plc.port, server.port, { data: { dir } });
    const first = await startGateway(t, config, ['modbus-json']);
    await spooled(first, 50);
    await first.gateway.stop();
    harm(join(dir, 'spool.db'));
    const second = await startGateway(t, config, ['modbus-json']);
    await second.book.line('SLUICE_STORE_DAMAGED', { level: 'error' });
    assert.ok(readdirSync(dir).some(name => name.startsWith('spool.db.damaged-')));
    await spooled(second, 20);
  });
}

test('a full disk: nothing acknowledged is lost, readiness says so, and it recovers by itself', {
  skip: cannotMount(),
}, async t => {
  const { plc, server, away, back } = await peersOf(t);
  const disk = mountSmallDisk('24m');
  t.after(() => disk.remove());
  const { dir } = disk;
  const rig = await startGateway(t, configOf(plc.port, server.port, { data: { dir } }), ['modbus-json']);
  await server.until(() => server.published.length >= 20);
  away();
  await spooled(rig, 20);
  fillDisk(dir);
  await rig.book.line('SLUICE_STORE_FULL', PLANT);
  assert.ok((await rig.metric('sluice_sink_failures_total', { ...PLANT, code: 'SLUICE_STORE_FULL' })) > 0);
  const { ready, reasons } = await rig.ready();
  assert.equal(ready, false);
  assert.match(reasons.join(), /sink plant is away, and its messages cannot be put on the disk: .*full/);
  const acknowledged = await rig.metric('sluice_delivered_total', { source: 'line1' });
  for (const name of readdirSync(dir)) if (name.startsWith('ballast')) rmSync(join(dir, name));
  await rig.reaches(acknowledged + 20, 'sluice_delivered_total', { source: 'line1' });
  assert.equal((await rig.ready()).ready, true);
  back();
  await emptied(rig);
  await rig.gateway.stop();
  assert.deepEqual(missing(server), []);
  assert.ok(statSync(join(dir, 'spool.db')).size > 0);
});
