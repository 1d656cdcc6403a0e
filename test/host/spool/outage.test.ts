import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountingPlc, RestartableBroker } from '../../support/devices/gateway-peers.js';
import { modbus, mqtt, startGateway, tempFolder } from '../../support/gateway/gateway-rig.js';
import { freePort } from '../../support/mqtt/mqtt-rig.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];
const PLANT = { sink: 'plant' };
const SKIPPED = ['sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_BACKPRESSURE' }] as const;

async function plcOf(t: TestContext) {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  return plc;
}

async function brokerOf(t: TestContext, port = 0): Promise<RestartableBroker> {
  const broker = new RestartableBroker(port);
  t.after(() => broker.stop());
  return broker;
}

/** The sequences of a unit came in this order, each for the first time. */
function assertOrder(broker: RestartableBroker, unit = 'line1/1'): void {
  const sequences = [...(broker.seen.get(unit)?.keys() ?? [])];
  const sorted = sequences.toSorted((a, b) => a - b);
  assert.deepEqual(sequences, sorted);
}

test('while the broker is away messages go to the disk, no poll is left out, and all arrive in order', async t => {
  const plc = await plcOf(t);
  const broker = await (await brokerOf(t)).start();
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { units: '1-3' }) },
      sinks: { plant: mqtt(broker.port, { window: { messages: 50 } }) },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await broker.atLeast(100);
  await broker.stop();
  await rig.reaches(300, 'sluice_spool_records', PLANT);
  const taken = await rig.metric('sluice_frames_total', { source: 'line1' });
  await rig.reaches(taken - 100, 'sluice_delivered_total', { source: 'line1' });
  assert.equal((await rig.ready()).ready, true, 'a broker away is no reason');
  await broker.start();
  await broker.atLeast(taken + 300);
  await rig.falls(0, 'sluice_spool_records', PLANT);
  await rig.gateway.stop();
  for (const unit of ['line1/1', 'line1/2', 'line1/3']) {
    assert.deepEqual(broker.missing(unit), []);
    assertOrder(broker, unit);
  }
  assert.equal(await rig.metric(...SKIPPED), 0);
  assert.equal(await rig.metric('sluice_spool_records', PLANT), 0);
  assert.ok((await rig.metric('sluice_spool_sent_total', PLANT)) >= 300);
});

test('what is in the spool when the gateway stops goes out after the next start, before what is fresh', async t => {
  const plc = await plcOf(t);
  const broker = await brokerOf(t, await freePort());
  const data = { dir: join(await tempFolder(t), 'data') };
  const config = {
    sources: { line1: modbus(plc.port) },
    sinks: { plant: mqtt(broker.port) },
    routes: ROUTES,
    data,
  };
  const first = await startGateway(t, config, ['modbus-json']);
  await plc.until('polls', () => plc.replies >= 50);
  const began = performance.now();
  await first.gateway.stop();
  assert.ok(performance.now() - began < 4000);
  const frames = await first.metric('sluice_frames_total', { source: 'line1' });
  assert.equal(await first.metric('sluice_delivered_total', { source: 'line1' }), frames);
  assert.deepEqual(first.book.of('SLUICE_SINK_ABANDONED'), []);
  const second = await startGateway(t, config, ['modbus-json']);
  await plc.until('polls of the second', () => plc.replies >= frames + 50);
  await broker.start();
  await broker.until('fresh ones', () => broker.highest() >= frames + 100);
  await second.gateway.stop();
  // What the first had asked for when it stopped was answered to nobody.
  assert.ok(broker.missing().length <= 4 && broker.missing().every(n => n > frames), `${broker.missing()}`);
  assertOrder(broker);
  assert.deepEqual(broker.repeated(), []);
});
