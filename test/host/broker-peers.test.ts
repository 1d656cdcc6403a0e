import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { MqttClient } from 'mqtt';
import { type Broker, startBroker } from '../../host/broker/broker.js';
import { markEnd, markTopic } from '../../host/protocols/mqtt-wire/peer-mark.js';
import { MqttSource } from '../../host/sources/mqtt/mqtt-source.js';
import { QUICK } from '../support/mqtt/mqtt-rig.js';
import { RecordingIngress } from '../support/sources/recording-ingress.js';

const HOST = '127.0.0.1';
const OWN = 'sluice-floor';
type Options = ConstructorParameters<typeof MqttClient>[1];

/** A client that comes from an address of its own. */
async function device({ port }: Broker, localAddress: string, options: Options = {}): Promise<MqttClient> {
  const client = new MqttClient(() => connectTcp({ port, host: HOST, localAddress }), {
    protocolVersion: 4,
    reconnectPeriod: 0,
    ...options,
  });
  await new Promise<void>(resolve => client.once('connect', () => resolve()));
  return client;
}

async function reader(
  { port, ends }: Broker,
  ingress: RecordingIngress,
  topic = 'in/#',
): Promise<MqttSource> {
  const url = `mqtt://${HOST}:${port}`;
  const config = { url, version: 4, clientId: OWN, topics: [topic], qos: 2, marksPeers: true } as const;
  const source = new MqttSource('floor', { ...config, ends, reconnect: QUICK }, ingress);
  await source.start();
  return source;
}

test('a frame from the embedded broker carries the address of who published it; other readers see the topic as it is', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  broker.held.source(OWN);
  const [one, two] = [await device(broker, '127.0.0.2'), await device(broker, '127.0.0.3')];
  const seen: string[] = [];
  two.on('message', topic => seen.push(topic));
  await two.subscribeAsync('in/#', { qos: 0 });
  await one.publishAsync('in/kept', 'kept', { qos: 1, retain: true });
  const ingress = new RecordingIngress();
  const source = await reader(broker, ingress);
  await ingress.until(() => ingress.frames.length === 1);
  await one.publishAsync('in/a', '0', { qos: 0 });
  void two.publishAsync('in/a', '1', { qos: 1 });
  await one.publishAsync('in/a', '2', { qos: 2 });
  // Nothing in it, and a last will.
  await two.publishAsync('in/b', '', { qos: 0 });
  const will = { topic: 'in/will', payload: Buffer.from('gone'), qos: 1, retain: false } as const;
  const dying = await device(broker, '127.0.0.4', { will });
  dying.stream.destroy();
  await ingress.until(() => ingress.frames.length === 6);
  const found = ingress.frames.map(
    ({ topic, bytes, properties }) => `${topic} ${bytes} ${properties.join(' ')}`,
  );
  assert.deepEqual(found.sort(), [
    'in/a 0 peer,127.0.0.2',
    'in/a 1 peer,127.0.0.3',
    'in/a 2 peer,127.0.0.2',
    'in/b  peer,127.0.0.3',
    'in/kept kept peer,127.0.0.2 mqtt-retain,true',
    'in/will gone peer,127.0.0.4',
  ]);
  source.delivered(6);
  // What comes while it is away waits for it, with its address.
  await source.stop();
  await source.close();
  void one.publishAsync('in/later', '3', { qos: 1 });
  const again = await reader(broker, ingress);
  await ingress.until(() => ingress.frames.length === 7);
  assert.deepEqual(ingress.frames[6]!.properties, [['peer', '127.0.0.2']]);
  again.delivered(7);
  assert.ok(seen.includes('in/a') && seen.every(topic => topic.startsWith('in/')), seen.join());
  await again.stop();
  await again.close();
  for (const each of [one, two]) await each.endAsync();
  await broker.stop();
});

test('a topic that has no room for a mark comes as it is, and the broker and its readers stay', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  broker.held.source(OWN);
  const ingress = new RecordingIngress();
  const source = await reader(broker, ingress);
  await ingress.until(() => ingress.peers.length === 1);
  const one = await device(broker, '127.0.0.2');
  await one.publishAsync(`in/${'x'.repeat(65_532)}`, 'long', { qos: 0 });
  await one.publishAsync('in/a', 'short', { qos: 0 });
  await ingress.until(() => ingress.frames.length === 2);
  const found = ingress.frames.map(({ topic, properties }) => `${topic.length} ${properties.join(' ')}`);
  assert.deepEqual(found, ['65535 ', '4 peer,127.0.0.2']);
  await source.stop();
  await source.close();
  await one.endAsync();
  await broker.stop();
});

test('nobody passes for the broker: under $SYS/ to have others cut off, or with a will that is marked already', async () => {
  const refused: string[] = [];
  const events = {
    refused: (_: string, text: string) => refused.push(text),
    renewed: () => {},
    failed: () => {},
  };
  const broker = await startBroker({ host: HOST, port: 0 }, events);
  broker.held.source(OWN);
  const victim = await device(broker, '127.0.0.2', { clientId: 'victim' });
  let lost = false;
  victim.once('close', () => {
    lost = true;
  });
  const rogue = await device(broker, '127.0.0.3', { clientId: 'rogue' });
  const closed = new Promise<void>(resolve => rogue.once('close', () => resolve()));
  rogue.publish('$SYS/other/new/clients', 'victim', { qos: 0 });
  await closed;
  assert.match(refused.join(), /127\.0\.0\.3 \("rogue"\) was cut off: published under \$SYS\//);
  const ingress = new RecordingIngress();
  const source = await reader(broker, ingress, '#');
  await ingress.until(() => ingress.peers.length === 1);
  const will = { topic: '#10.0.0.1#in/a', payload: Buffer.from('forged'), qos: 0, retain: false } as const;
  const dying = await device(broker, '127.0.0.4', { will });
  dying.stream.destroy();
  while (broker.clients() > 2) await new Promise(setImmediate);
  await victim.publishAsync('in/a', 'true', { qos: 0 });
  await ingress.until(() => ingress.frames.length > 0);
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['true'],
  );
  assert.equal(lost, false);
  await source.stop();
  await source.close();
  await victim.endAsync();
  await broker.stop();
});

test('a mark is taken off whole, and what has none is left as it is', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  fc.assert(
    fc.property(fc.ipV6(), text, fc.nat(3), (peer, topic, before) => {
      const marked = Buffer.from(`${'>'.repeat(before)}${markTopic(peer, topic)}`);
      const end = markEnd(marked, before, marked.length);
      assert.equal(marked.toString('utf8', before + 1, end), peer);
      assert.equal(marked.toString('utf8', end + 1), topic);
      const plain = Buffer.from(topic.replaceAll('#', ''));
      assert.equal(markEnd(plain, 0, plain.length), -1);
    }),
  );
});
