import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPublishPacket } from 'mqtt-packet';
import { CountingPlc, RestartableBroker } from '../support/devices/gateway-peers.js';
import { modbus, mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];
const SKIPPED = 'sluice_polls_skipped_total';
const BACKPRESSURE = { source: 'line1', code: 'SLUICE_SOURCE_BACKPRESSURE' };

test('no message is lost when the broker is away at the start and comes later', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = new RestartableBroker(await freePort());
  t.after(() => broker.stop());
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(plc.port) }, sinks: { plant: mqtt(broker.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  await plc.until('polls without a broker', () => plc.replies >= 100);
  const line = await rig.book.line('SLUICE_SINK_DISCONNECTED');
  assert.equal(line.sink, 'plant');
  assert.equal((await rig.ready()).ready, true, 'a broker away is no reason');
  await broker.start();
  await broker.until('the newest', () => broker.highest() >= 150);
  assert.deepEqual([broker.missing(), broker.repeated()], [[], []]);
});

test('no message is lost when the broker goes away and comes back on its port, three times', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(plc.port) }, sinks: { plant: mqtt(broker.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  for (let round = 0; round < 3; round++) {
    await broker.atLeast(broker.messages + 30);
    await broker.stop();
    const { replies } = plc;
    await plc.until('polls without a broker', () => plc.replies >= replies + 20);
    await broker.start();
  }
  await broker.atLeast(broker.messages + 50);
  await rig.gateway.stop();
  assert.deepEqual(broker.missing(), []);
  // Sent but not confirmed when the broker went: at QoS 1 it may come twice, and no more than that.
  assert.ok(broker.repeated().length < 50);
  // What was in flight when the gateway closed its connection was answered to nobody.
  assert.ok(plc.replies - broker.highest() <= 4, `${plc.replies} replies, ${broker.highest()} arrived`);
});

test('without a spool polls are skipped and counted while window and ring are full, and nothing of what was read is lost', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { every: '1ms' }) },
      sinks: { plant: { ...mqtt(broker.port, { window: { messages: 20 } }), spool: false } },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await broker.atLeast(50);
  await broker.stop();
  await rig.reaches(100, SKIPPED, BACKPRESSURE);
  // Bounded: what the window and the four slabs of the ring hold, however long it takes.
  const held = plc.replies;
  await rig.reaches(300, SKIPPED, BACKPRESSURE);
  assert.ok(plc.replies - held <= 4, `${plc.replies - held} more polls went out`);
  assert.equal(await rig.metric('sluice_slabs_in_use', { route: 'line1' }), 4);
  await broker.start();
  await broker.until('what was held and more', () => broker.highest() >= held + 50);
  assert.deepEqual(broker.missing(), []);
});

/** A server that takes publications and confirms none until it is told to. */
class Withholding {
  readonly held: { packet: IPublishPacket; confirm: () => void }[] = [];
  holding = true;

  constructor(readonly server: TestServer) {
    server.behaviour.puback = () => 'none';
    server.behaviour.onPublish = (packet, connection) => {
      const confirm = (): void => connection.send({ cmd: 'puback', messageId: packet.messageId! });
      if (this.holding) this.held.push({ packet, confirm });
      else confirm();
    };
  }

  release(): void {
    this.holding = false;
    for (const { confirm } of this.held.splice(0)) confirm();
  }
}

test('slabs are freed when the sink has taken the messages; delivered is counted after PUBACK only', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  const peer = new Withholding(server);
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port) },
      sinks: { plant: { ...mqtt(server.port), spool: false } },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  // Many times what the ring can hold, if its slabs were kept until the confirmation.
  await server.until(() => peer.held.length >= 400);
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), 0);
  assert.equal(await rig.metric('sluice_messages_total', { sink: 'plant' }), 0);
  plc.answering = false;
  await rig.falls(0, 'sluice_slabs_in_use', { route: 'line1' });
  assert.equal(await rig.metric('sluice_messages_total', { sink: 'plant' }), 0);
  peer.release();
  await rig.gateway.stop();
  const frames = await rig.metric('sluice_frames_total', { source: 'line1' });
  assert.ok(frames >= 400);
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), frames);
  assert.deepEqual(rig.book.of('SLUICE_SINK_ABANDONED'), []);
});

test('without a spool, with two sinks of which one is slow, both get every frame once, and it is delivered when both have it', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const quick = await new RestartableBroker().start();
  const server = await TestServer.start();
  t.after(() => Promise.all([quick.stop(), server.stop()]));
  const slow = new Withholding(server);
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port) },
      sinks: {
        quick: mqtt(quick.port),
        slow: { ...mqtt(server.port, { window: { messages: 50 } }), spool: false },
      },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  // The slow one's window is full: the route waits, and the quick one has got as much and not a slab more.
  await server.until(() => slow.held.length === 50);
  await quick.until('as many at the quick one', () => quick.messages >= 50);
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), 0);
  assert.ok(quick.messages <= 51, `${quick.messages}`);
  slow.release();
  await quick.atLeast(200);
  await rig.gateway.stop();
  assert.deepEqual([quick.missing(), quick.repeated()], [[], []]);
  assert.equal(server.published.length, quick.messages);
  assert.equal(await rig.metric('sluice_delivered_total', { source: 'line1' }), quick.messages);
});
