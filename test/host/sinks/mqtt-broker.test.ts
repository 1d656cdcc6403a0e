import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { type Broker, startBroker } from '../../../host/broker/broker.js';
import { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import { NOW, numbered, Recorder, writeAll } from '../../support/mqtt/mqtt-recorder.js';
import { freePort, QUICK } from '../../support/mqtt/mqtt-rig.js';

const HOST = '127.0.0.1';

/** A subscriber to everything that resolves `all` after `count` messages. */
async function subscribe(
  broker: Broker,
  count: number,
): Promise<{ client: MqttClient; all: Promise<string[]> }> {
  const client = await connectAsync(`mqtt://${HOST}:${broker.port}`, { protocolVersion: 4 });
  await client.subscribeAsync('#', { qos: 1 });
  const payloads: string[] = [];
  const all = new Promise<string[]>(resolve => {
    client.on('message', (_topic, payload) => {
      payloads.push(payload.toString());
      if (payloads.length === count) resolve(payloads);
    });
  });
  return { client, all };
}

for (const qos of [0, 1] as const) {
  for (const version of [4, 5] as const) {
    test(`aedes passes on all messages in order at QoS ${qos}, configured for version ${version}`, async () => {
      const broker = await startBroker({ host: HOST, port: 0 });
      const messages = numbered(2_000, { qos, contentType: 'text/plain', properties: [['k', 'v']] });
      const { client, all } = await subscribe(broker, messages.length);
      const seen = new Recorder();
      const sink = new MqttSink(
        'plant',
        { url: `mqtt://${HOST}:${broker.port}`, version, reconnect: QUICK },
        seen,
      );
      await sink.start();
      await writeAll(sink, seen, messages);
      const payloads = messages.map(message => message.payload);
      assert.deepEqual(await all, payloads);
      await seen.settled(messages.length);
      assert.equal(seen.confirmed, messages.length);
      assert.equal(sink.version, 4);
      const codes = seen.faults.map(fault => fault.code);
      assert.deepEqual(codes, version === 5 ? ['SLUICE_SINK_VERSION'] : []);
      await sink.stop(NOW);
      await client.endAsync();
      await broker.stop();
    });
  }
}

test('a retained message is there for who subscribes later', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  const seen = new Recorder();
  const sink = new MqttSink(
    'plant',
    { url: `mqtt://${HOST}:${broker.port}`, version: 4, prefix: 'p/' },
    seen,
  );
  await sink.start();
  await writeAll(sink, seen, numbered(1, { retain: true }));
  await seen.settled(1);
  const { client, all } = await subscribe(broker, 1);
  assert.deepEqual(await all, ['0']);
  await sink.stop(NOW);
  await client.endAsync();
  await broker.stop();
});

test('a broker that comes later gets what waited for it', async () => {
  const port = await freePort();
  const seen = new Recorder();
  const sink = new MqttSink(
    'plant',
    { url: `mqtt://${HOST}:${port}`, reconnect: { minMs: 20, maxMs: 40 } },
    seen,
  );
  await sink.start();
  await writeAll(sink, seen, numbered(100));
  await seen.faulted('SLUICE_SINK_DISCONNECTED');
  assert.equal(sink.state().state, 'waiting');
  assert.equal(sink.state().inFlight, 100);
  const broker = await startBroker({ host: HOST, port });
  await seen.settled(100);
  assert.equal(seen.confirmed, 100);
  assert.equal(sink.state().state, 'connected');
  await sink.stop(NOW);
  await broker.stop();
});

test('an embedded broker that is replaced in the middle costs no message at QoS 1', async () => {
  let broker = await startBroker({ host: HOST, port: 0 });
  const { port } = broker;
  const seen = new Recorder();
  const config = { url: `mqtt://${HOST}:${port}`, version: 4, reconnect: QUICK } as const;
  const sink = new MqttSink('plant', config, seen);
  await sink.start();
  const writing = writeAll(sink, seen, numbered(5_000));
  await seen.until(() => seen.confirmed > 500);
  await broker.stop();
  broker = await startBroker({ host: HOST, port });
  await writing;
  await seen.settled(5_000);
  assert.equal(seen.confirmed, 5_000);
  await sink.stop(NOW);
  await broker.stop();
});

test('a topic for which the embedded broker hangs up costs that message alone', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  const seen = new Recorder();
  const sink = new MqttSink('plant', { url: broker.url, version: 4, reconnect: QUICK }, seen);
  await sink.start();
  // Aedes ends the connection of who publishes to more than 100 levels.
  const deep = { topic: 'a/'.repeat(150), payload: 'deep', qos: 1 };
  await writeAll(sink, seen, [...numbered(50), deep, ...numbered(50)]);
  await seen.settled(101);
  assert.deepEqual([seen.confirmed, seen.codes], [100, ['SLUICE_SINK_HANGUP']]);
  assert.equal(sink.state().state, 'connected');
  await sink.stop(NOW);
  await broker.stop();
});
