import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub, publish, publishLines } from './mosquitto-clients.js';
import { floor } from './sources.js';

const ECHO = [{ from: 'floor', through: ['echo'] }];

for (const version of [4, 5] as const) {
  for (const qos of [0, 1] as const) {
    test(`mosquitto as source and as sink, MQTT ${version === 4 ? '3.1.1' : '5.0'} at QoS ${qos}: 3,000 lines of mosquitto_pub come out once, in order`, async t => {
      const broker = await Mosquitto.start(await tempFolder(t), [
        'allow_anonymous true',
        // At QoS 0 it drops what a subscriber does not read fast enough; that is not what is looked at here.
        'max_queued_messages 0',
      ]);
      t.after(() => broker.stop());
      const witness = await MosquittoSub.start(broker.port, 'out/#');
      t.after(() => witness.stop());
      await startGateway(
        t,
        {
          sources: { floor: floor(broker.port, { version, qos }) },
          sinks: { plant: mqtt(broker.port, { version, qos, prefix: 'out/' }) },
          routes: ECHO,
        },
        ['echo'],
      );
      await broker.subscribed('floor');
      const lines = Array.from({ length: 3000 }, (_, i) => `line ${i}`);
      await publishLines(broker.port, 'in/a/b', lines);
      await witness.atLeast(lines.length);
      assert.deepEqual(witness.texts, lines);
      assert.deepEqual([...new Set(witness.messages.map(({ topic }) => topic))], ['out/in/a/b']);
    });
  }
}

test('user properties and content type of an MQTT 5.0 message get from mosquitto_pub to mosquitto_sub', async t => {
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, 'out/#');
  t.after(() => witness.stop());
  await startGateway(
    t,
    {
      sources: { floor: floor(broker.port) },
      sinks: { plant: mqtt(broker.port, { version: 5, prefix: 'out/' }) },
      routes: ECHO,
    },
    ['echo'],
  );
  await broker.subscribed('floor');
  const property = (key: string, value: string): string[] => ['-D', 'publish', 'user-property', key, value];
  await publish(broker.port, 'in/x', 'hello', [
    ...property('line', '4'),
    ...property('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
    ...property('tracestate', 'x=y'),
    ...property('Prüfer', 'Jörg'),
  ]);
  await witness.atLeast(1);
  // Trace context is not the guest's, so that it cannot pass it on.
  const [message] = witness.messages;
  assert.match(message!.properties, /line:4 Prüfer:Jörg/);
  assert.doesNotMatch(message!.properties, /trace/);
});

test('what is published at QoS 2 arrives once and in order', async t => {
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, 'out/#');
  t.after(() => witness.stop());
  await startGateway(
    t,
    {
      sources: { floor: floor(broker.port, { qos: 2 }) },
      sinks: { plant: mqtt(broker.port, { version: 5, prefix: 'out/' }) },
      routes: ECHO,
    },
    ['echo'],
  );
  await broker.subscribed('floor');
  const lines = Array.from({ length: 200 }, (_, i) => String(i));
  await publishLines(broker.port, 'in/x', lines, ['-q', '2']);
  await witness.atLeast(lines.length);
  assert.deepEqual(witness.texts, lines);
});

test('a Modbus reply that mosquitto_pub publishes under a topic with its range becomes JSON', async t => {
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, 'out/#');
  t.after(() => witness.stop());
  await startGateway(
    t,
    {
      sources: { floor: floor(broker.port) },
      sinks: { plant: mqtt(broker.port, { version: 5, prefix: 'out/' }) },
      routes: [{ from: 'floor', through: ['modbus-json'] }],
    },
    ['modbus-json'],
  );
  await broker.subscribed('floor');
  const adu = Buffer.from('00070000001b01031800640002ffff0fa001f4003c00071f4000092710000b04b0', 'hex');
  await publish(broker.port, 'in/line1/1/3/0-11', adu);
  await witness.atLeast(1);
  const [message] = witness.messages;
  assert.equal(message!.topic, 'out/in/line1/1/3/0-11');
  assert.equal(message!.contentType, 'application/json');
  assert.equal(
    message!.payload.toString(),
    '{"unit":1,"function":3,"first":0,"values":[100,2,65535,4000,500,60,7,8000,9,10000,11,1200]}',
  );
});
