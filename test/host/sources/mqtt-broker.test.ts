import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { startBroker } from '../../../host/broker/broker.js';
import type { MqttSourceConfig } from '../../../host/sources/mqtt/config.js';
import { MqttSource } from '../../../host/sources/mqtt/mqtt-source.js';
import { QUICK } from '../../support/mqtt/mqtt-rig.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

/** Aedes, a source on it, and a publisher, all gone when `body` ends. */
async function withAedes(
  config: Partial<MqttSourceConfig>,
  body: (
    ingress: RecordingIngress,
    source: MqttSource,
    publish: (i: number, topic?: string) => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> {
  const broker = await startBroker({ host: '127.0.0.1', port: 0 });
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const client = await connectAsync(url, { protocolVersion: 4 });
  const ingress = new RecordingIngress();
  const source = new MqttSource(
    'floor',
    { url, topics: ['in/#'], clientId: 'floor', reconnect: QUICK, ...config },
    ingress,
  );
  // A retained message comes to each new subscription, so it tells that there is one.
  await client.publishAsync('in/ready', '', { qos: 1, retain: true });
  await client.publishAsync('in/ready', 'ready', { qos: 1, retain: true });
  await source.start();
  await ingress.until(() => ingress.frames.length === 1);
  try {
    await body(ingress, source, (i, topic = 'in/t') => client.publishAsync(topic, String(i), { qos: 1 }));
  } finally {
    await source.stop();
    await source.close();
    await client.endAsync();
    await broker.stop();
  }
}

for (const version of [4, 5] as const) {
  for (const qos of [0, 1] as const) {
    test(`aedes and mqtt.js: every message arrives in order at QoS ${qos}, configured for version ${version}`, async () => {
      await withAedes({ version, qos }, async (ingress, source, publish) => {
        const sent = Array.from({ length: 500 }, (_, i) => publish(i));
        // All through the window of the broker, which waits for acknowledgements.
        while (ingress.frames.length < 501) {
          const had = ingress.frames.length;
          source.delivered(had);
          await ingress.until(() => ingress.frames.length > had || ingress.frames.length === 501);
        }
        source.delivered(501);
        await Promise.all(sent);
        const [ready, ...frames] = ingress.frames;
        assert.deepEqual(ready!.properties, [['mqtt-retain', 'true']]);
        assert.deepEqual(
          frames.map(({ topic, bytes, properties }) => [topic, bytes.toString(), properties.length]),
          Array.from({ length: 500 }, (_, i) => ['in/t', String(i), 0]),
        );
        const codes = ingress.faults.map(({ code }) => code);
        assert.deepEqual(codes, version === 5 ? ['SLUICE_SOURCE_VERSION'] : []);
      });
    });
  }
}

test('more topics than are remembered are all told right, also the long ones', async () => {
  await withAedes({ version: 4, qos: 0 }, async (ingress, _source, publish) => {
    const topics = Array.from(
      { length: 3_000 },
      (_, i) => `in/${i % 10 === 0 ? 'long/'.repeat(60) : ''}${i}`,
    );
    await Promise.all(topics.map((topic, i) => publish(i, topic)));
    await ingress.until(() => ingress.frames.length === 3_001);
    assert.deepEqual(
      ingress.frames.slice(1).map(({ topic, bytes }) => [topic, bytes.toString()]),
      topics.map((topic, i) => [topic, String(i)]),
    );
    assert.ok(ingress.topics.length <= 2_049, `${ingress.topics.length} topics are registered`);
  });
});
