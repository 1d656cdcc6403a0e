import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CutProxy } from '../support/devices/cut-proxy.js';
import { CountingPlc } from '../support/devices/gateway-peers.js';
import { modbus, mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub, publishLines } from './mosquitto-clients.js';
import { floor } from './sources.js';

/** A broker that remembers sessions and what waits in them, beyond its own end. */
async function durableBroker(t: TestContext): Promise<Mosquitto> {
  const folder = await tempFolder(t);
  const broker = await Mosquitto.start(folder, [
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    'max_queued_messages 0',
  ]);
  t.after(() => broker.stop());
  return broker;
}

/** A witness whose session outlives the broker: it gets what came while it was not connected. */
const DURABLE = ['-c', '-i', 'witness', '-x', '3600'];

/** Messages that the gateway has under way at most. */
const WINDOW = 50;
/** How often the broker is stopped. */
const ROUNDS = 2;

const POLLED = [{ from: 'line1', through: ['modbus-json'] }];

function sequences(witness: MosquittoSub): number[] {
  return witness.messages.map(({ payload }) => {
    const { values } = JSON.parse(payload.toString()) as { values: number[] };
    return values[1]! * 65536 + values[2]!;
  });
}

for (const version of [4, 5] as const) {
  test(`mosquitto is stopped and started in the middle: a durable session at QoS 1 has every reply of the device (MQTT ${version === 4 ? '3.1.1' : '5.0'})`, async t => {
    const plc = await CountingPlc.start();
    t.after(() => plc.stop());
    const broker = await durableBroker(t);
    const witness = await MosquittoSub.start(broker.port, 'line1/#', DURABLE);
    t.after(() => witness.stop());
    const rig = await startGateway(
      t,
      {
        sources: { line1: modbus(plc.port, { every: '2ms' }) },
        sinks: { plant: mqtt(broker.port, { version, window: { messages: WINDOW } }) },
        routes: POLLED,
      },
      ['modbus-json'],
    );
    for (let round = 0; round < ROUNDS; round++) {
      await witness.atLeast(witness.messages.length + 100);
      await broker.stop();
      const { replies } = plc;
      await plc.until('polls without a broker', () => plc.replies >= replies + 20);
      await broker.again();
      await witness.atLeast(witness.messages.length + 200);
    }
    await rig.gateway.stop();
    const delivered = await rig.metric('sluice_messages_total', { sink: 'plant' });
    await witness.until('the last', () => new Set(sequences(witness)).size >= delivered);
    const seen = new Set(sequences(witness));
    const missing = Array.from({ length: Math.max(...seen) }, (_, i) => i + 1).filter(n => !seen.has(n));
    assert.deepEqual(missing, []);
    // What the gateway had sent and seen no confirmation of may come twice. mosquitto repeats more than that: what
    // the witness had confirmed to it before it was stopped.
    const retried = await rig.metric('sluice_messages_retried_total', { sink: 'plant' });
    assert.ok(retried <= ROUNDS * WINDOW, `${retried} were sent again`);
  });
}

for (const version of [4, 5] as const) {
  test(`mosquitto is stopped while it holds messages for the gateway: all of them come out after it is back (MQTT ${version === 4 ? '3.1.1' : '5.0'})`, async t => {
    const broker = await durableBroker(t);
    const witness = await MosquittoSub.start(broker.port, 'out/#', DURABLE);
    t.after(() => witness.stop());
    const line = await CutProxy.start(broker.port);
    t.after(() => line.stop());
    const rig = await startGateway(
      t,
      {
        sources: { floor: floor(line.port, { version, window: 64 }) },
        sinks: { plant: mqtt(broker.port, { version, prefix: 'out/' }) },
        routes: [{ from: 'floor', through: [{ plugin: 'slow', config: { ms: 1 } }] }],
      },
      ['slow'],
    );
    await broker.subscribed('floor');
    // All of it lies in the broker before the first arrives, and the guest takes a millisecond for what begins with 0xEE:
    // most still lies there when the broker is stopped.
    line.hold();
    const lines = Array.from({ length: 1000 }, (_, i) => `\u00ee ${i}`);
    await publishLines(broker.port, 'in/x', lines);
    line.release();
    await witness.atLeast(50);
    await broker.stop();
    assert.ok(witness.messages.length < lines.length, 'all were through before the broker was stopped');
    await rig.book.line('SLUICE_SINK_DISCONNECTED', { sink: 'plant' });
    await broker.again();
    const texts = (): Set<string> =>
      new Set(witness.messages.map(({ payload }) => payload.toString('latin1')));
    await witness.until('all lines', () => texts().size >= lines.length);
    assert.deepEqual([...texts()].sort(), lines.toSorted());
    await rig.book.line('SLUICE_SOURCE_DISCONNECTED', { source: 'floor' });
  });
}
