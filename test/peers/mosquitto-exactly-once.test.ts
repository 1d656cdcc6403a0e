import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CutProxy } from '../support/devices/cut-proxy.js';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub, publishLines } from './mosquitto-clients.js';
import { floor } from './sources.js';

const COUNT = 2_000;
const LINES = Array.from({ length: COUNT }, (_, i) => `line ${i}`);

async function brokerAndWitness(t: TestContext): Promise<[Mosquitto, MosquittoSub]> {
  const broker = await Mosquitto.start(await tempFolder(t), [
    'allow_anonymous true',
    'max_queued_messages 0',
  ]);
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, 'out/#');
  t.after(() => witness.stop());
  return [broker, witness];
}

for (const version of [4, 5] as const) {
  for (const qos of [1, 2] as const) {
    const spoken = version === 4 ? '3.1.1' : '5.0';
    const kept = qos === 2 ? 'comes once and in order' : 'is not lost';
    test(`over a line that is cut ten times, what mosquitto sends at QoS ${qos} ${kept} (MQTT ${spoken})`, async t => {
      const [broker, witness] = await brokerAndWitness(t);
      const line = await CutProxy.start(broker.port);
      t.after(() => line.stop());
      await startGateway(
        t,
        {
          sources: { floor: floor(line.port, { version, qos }) },
          sinks: { plant: mqtt(broker.port, { version, prefix: 'out/' }) },
          routes: [{ from: 'floor', through: ['echo'] }],
        },
        ['echo'],
      );
      await broker.subscribed('floor');
      const sent = publishLines(broker.port, 'in/a', LINES, ['-q', '2']);
      for (let cut = 1; cut <= 10; cut++) {
        await witness.atLeast(cut * (COUNT / 12));
        line.cut();
        line.mend();
      }
      await sent;
      await witness.until('all', () => new Set(witness.texts).size === COUNT);
      const repeats = witness.texts.length - COUNT;
      t.diagnostic(`${repeats} of ${COUNT} came twice over ten cuts at QoS ${qos}`);
      if (qos === 2) assert.deepEqual(witness.texts, LINES);
    });
  }

  test(`two sources share a subscription of mosquitto: each line goes to one of them (version ${version})`, async t => {
    const [broker, witness] = await brokerAndWitness(t);
    const topics = ['$share/gateways/in/#'];
    const rig = await startGateway(
      t,
      {
        sources: {
          a: floor(broker.port, { version, topics, clientId: 'a' }),
          b: floor(broker.port, { version, topics, clientId: 'b' }),
        },
        sinks: { plant: mqtt(broker.port, { version, prefix: 'out/' }) },
        routes: [{ from: ['a', 'b'], through: ['echo'] }],
      },
      ['echo'],
    );
    await broker.subscribed('a');
    await broker.subscribed('b');
    await publishLines(broker.port, 'in/a', LINES);
    await witness.atLeast(COUNT);
    assert.deepEqual([...witness.texts].sort(), [...LINES].sort());
    const text = await rig.gateway.metrics.render();
    for (const name of ['a', 'b']) {
      const [, frames] = new RegExp(`sluice_frames_total\\{source="${name}"\\} (\\d+)`).exec(text)!;
      assert.ok(Number(frames) > COUNT / 10, `${name} got ${frames}`);
    }
  });
}

test('one connection to mosquitto feeds each route with the topics of its filter, at QoS 2', async t => {
  const [broker, witness] = await brokerAndWitness(t);
  await startGateway(
    t,
    {
      sources: { floor: floor(broker.port, { qos: 2, topics: ['s/+/raw', 's/+/state'] }) },
      sinks: {
        left: mqtt(broker.port, { prefix: 'out/left/' }),
        right: mqtt(broker.port, { prefix: 'out/right/' }),
      },
      routes: [
        { from: 'floor', filter: 's/+/raw', through: ['echo'], to: 'left' },
        { from: 'floor', filter: ['s/1/#', 's/2/state'], through: ['echo'], to: 'right' },
      ],
    },
    ['echo'],
  );
  await broker.subscribed('floor');
  for (const topic of ['s/1/raw', 's/2/raw', 's/2/state', 's/3/state', 's/1/state'])
    await publishLines(broker.port, topic, [topic], ['-q', '2']);
  await witness.atLeast(5);
  assert.deepEqual(witness.messages.map(({ topic }) => topic).sort(), [
    'out/left/s/1/raw',
    'out/left/s/2/raw',
    'out/right/s/1/raw',
    'out/right/s/1/state',
    'out/right/s/2/state',
  ]);
});
