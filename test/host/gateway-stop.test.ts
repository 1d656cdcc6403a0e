import assert from 'node:assert/strict';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CountingPlc, POISON, RestartableBroker } from '../support/devices/gateway-peers.js';
import { guestFile, modbus, mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];
const BACKPRESSURE = ['sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_BACKPRESSURE' }] as const;

test('a stop hands on all that waits in ring and window, also through a small window', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  // Confirms late, so that ring and window are full when the stop comes.
  server.behaviour.puback = () => 'none';
  server.behaviour.onPublish = (packet, connection) =>
    void setTimeout(() => connection.send({ cmd: 'puback', messageId: packet.messageId! }), 5);
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { every: '1ms', units: '1-4' }) },
      sinks: { plant: { ...mqtt(server.port, { window: { messages: 5 } }), spool: false } },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await rig.reaches(50, ...BACKPRESSURE);
  const delivered = await rig.metric('sluice_delivered_total', { source: 'line1' });
  await rig.gateway.stop();
  const frames = await rig.metric('sluice_frames_total', { source: 'line1' });
  assert.ok(frames - delivered > 5, `${frames} and ${delivered}: more than the window holds was under way`);
  assert.equal(server.published.length, frames);
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), frames);
  assert.deepEqual(rig.book.of('SLUICE_SINK_ABANDONED'), []);
});

test('without a spool a stop while the broker is away ends in time, counts what is left and calls none of it delivered', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { every: '1ms' }) },
      sinks: { plant: { ...mqtt(await freePort(), { window: { messages: 10 } }), spool: false } },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await rig.reaches(20, ...BACKPRESSURE);
  const began = performance.now();
  await rig.gateway.stop(300);
  assert.ok(performance.now() - began < 3000);
  const frames = await rig.metric('sluice_frames_total', { source: 'line1' });
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), 0);
  const [line] = rig.book.of('SLUICE_SINK_ABANDONED');
  assert.match(line?.msg ?? '', new RegExp(`^${frames} of the ${frames} frames taken from line1 were not`));
  assert.equal(
    await rig.metric('sluice_messages_dropped_total', { sink: 'plant', code: 'SLUICE_SINK_ABANDONED' }),
    10,
  );
});

test('a stop ends in time while a new version waits for room that never comes', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { every: '1ms' }) },
      sinks: { plant: { ...mqtt(await freePort(), { window: { messages: 10 } }), spool: false } },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await rig.reaches(20, ...BACKPRESSURE);
  await copyFile(guestFile('modbus-json'), join(rig.plugins, '.next'));
  await rename(join(rig.plugins, '.next'), join(rig.plugins, 'modbus-json.wasm'));
  // The candidate starts in its own thread, beside the serving one and the spare.
  await rig.reaches(50, ...BACKPRESSURE);
  const began = performance.now();
  await rig.gateway.stop(300);
  assert.ok(performance.now() - began < 3000);
});

test('connections that the stop itself closes are not reported as failures', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const config = { sources: { line1: modbus(plc.port) }, routes: ROUTES, plugins: { signatures: 'off' } };
  const rig = await startGateway(t, config, ['modbus-json']);
  await rig.reaches(10, 'sluice_delivered_total', { source: 'line1' });
  // Requests are in flight when the stop comes.
  plc.answering = false;
  await rig.gateway.stop();
  const complaints = rig.book.lines.filter(({ level }) => level === 'warn' || level === 'error');
  // A machine that is busy leaves polls out, and says so.
  assert.deepEqual(
    complaints.filter(({ code }) => code !== 'SLUICE_SOURCE_LATE' && code !== 'SLUICE_SOURCE_OVERRUN'),
    [],
  );
});

test('not ready while it stops; a second call of stop waits for the first', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  server.behaviour.puback = () => 'none';
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(plc.port) }, sinks: { plant: mqtt(server.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  await server.until(() => server.published.length > 10);
  let ended = false;
  const first = rig.gateway.stop(1000).then(() => {
    ended = true;
  });
  const second = rig.gateway.stop(0);
  assert.deepEqual(await rig.ready(), { ready: false, reasons: ['the gateway is stopping'], degraded: [] });
  await second;
  assert.equal(ended, true);
  await first;
});

test('a stop while a guest spins keeps what was read before and behind the poison', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  plc.mark = sequence => (sequence === 20 ? POISON : 0);
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const rig = await startGateway(
    t,
    {
      plugins: { deadline: '200ms', startDeadline: '200ms' },
      sources: { line1: modbus(plc.port) },
      sinks: { plant: mqtt(broker.port) },
      routes: [{ from: 'line1', through: ['spin-modbus'] }],
    },
    ['spin-modbus'],
  );
  await plc.until('frames behind the poison', () => plc.replies >= 30);
  await rig.gateway.stop();
  assert.deepEqual(broker.missing(), [20]);
  const frames = await rig.metric('sluice_frames_total', { source: 'line1' });
  assert.equal(broker.highest(), frames);
});
