import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { connectAsync, MqttClient } from 'mqtt';
import { type Broker, startBroker } from '../../host/broker/broker.js';
import { leadsHere } from '../../host/broker/this-machine.js';
import { readConfig } from '../../host/config/load.js';
import { North } from '../../host/north.js';
import { MqttSource } from '../../host/sources/mqtt/mqtt-source.js';
import { Metrics } from '../../host/telemetry/metrics.js';
import { Reporter } from '../../host/telemetry/reporter.js';
import { LogBook, mqtt } from '../support/gateway/gateway-rig.js';
import { freePort, QUICK } from '../support/mqtt/mqtt-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';
import { RecordingIngress } from '../support/sources/recording-ingress.js';

const HOST = '127.0.0.1';

async function scene(
  t: TestContext,
): Promise<{ broker: Broker; refusals: string[]; refused: Promise<void> }> {
  const refusals: string[] = [];
  const { promise: refused, resolve } = Promise.withResolvers<void>();
  const broker = await startBroker(
    { host: HOST, port: 0, rate: 50 },
    {
      refused: (reason, text) => {
        refusals.push(`${reason}: ${text}`);
        resolve();
      },
      renewed: () => {},
      failed: () => {},
    },
  );
  t.after(() => broker.stop());
  return { broker, refusals, refused };
}

test('nobody else comes in under the client id of a source or sink of the gateway, and what was there stays', async t => {
  const { broker, refusals } = await scene(t);
  broker.held.source('sluice-floor');
  broker.held.sink('plant');
  const ingress = new RecordingIngress();
  const url = `mqtt://${HOST}:${broker.port}`;
  const own = {
    url,
    version: 4,
    clientId: 'sluice-floor',
    marksPeers: true,
    ends: broker.ends,
    reconnect: QUICK,
  } as const;
  const source = new MqttSource('floor', { ...own, topics: ['in'], qos: 1 }, ingress);
  await source.start();
  await ingress.until(() => ingress.peers.length === 1);
  for (const clientId of ['sluice-floor', 'plant']) {
    const refused = connectAsync(url, { protocolVersion: 4, clientId, reconnectPeriod: 0 });
    await assert.rejects(refused, /Identifier rejected/);
  }
  const what =
    /^client-id: 127\.0\.0\.1 came under the client id "plant", which a source or sink of the gateway has/;
  assert.match(refusals[1]!, what);
  assert.equal(refusals.length, 2);
  const device = await connectAsync(url, { protocolVersion: 4, clientId: 'plc' });
  void device.publishAsync('in', 'x', { qos: 1 });
  await ingress.until(() => ingress.frames.length === 1);
  assert.equal(ingress.peers.length, 1);
  device.end(true);
  source.delivered(1);
  await source.stop();
  await source.close();
});

test('a sink of the gateway is free of rates: what it brings has passed those of its sources', async t => {
  const { broker, refusals, refused } = await scene(t);
  broker.held.sink('plant');
  const open = async (clientId: string, isOwn: boolean): Promise<MqttClient> => {
    const dial = (): Socket => {
      const socket = connectTcp(broker.port, HOST);
      if (isOwn) socket.once('connect', () => broker.ends.add(socket));
      return socket;
    };
    const client = new MqttClient(dial, { protocolVersion: 4, clientId, reconnectPeriod: 0 });
    await new Promise<void>(resolve => client.once('connect', () => resolve()));
    return client;
  };
  const flood = (client: MqttClient): void => {
    for (let n = 0; n < 800; n++) client.publish('a', 'x', { qos: 0 });
  };
  const sink = await open('plant', true);
  flood(sink);
  await sink.publishAsync('a', 'behind them', { qos: 1 });
  assert.deepEqual(refusals, []);
  const device = await open('device', false);
  flood(device);
  await refused;
  assert.match(refusals[0]!, /^rate: .*it is read later/);
  for (const each of [sink, device]) each.end(true);
});

test('the client id of a sink is its own at the embedded broker if it comes there, and free for others if it goes elsewhere', async t => {
  const elsewhere = await TestServer.start();
  t.after(() => elsewhere.stop());
  const port = await freePort();
  const to = (at: number, clientId: string) => ({ ...mqtt(at, { clientId }), spool: false });
  const sources = { hooks: { http: { token: 'k3J9_xQ7mB2vN8pR' } } };
  const text = { sources, broker: { port }, sinks: { here: to(port, 'a'), there: to(elsewhere.port, 'b') } };
  const { config } = await readConfig(JSON.stringify(text), 'sluice.yaml', { environment: {} });
  const report = new Reporter(new LogBook().log);
  const spool = () => undefined;
  const north = new North({ config, metrics: new Metrics(), report, spool, room: () => {} });
  await north.start();
  t.after(async () => {
    await north.stop(AbortSignal.abort());
    await north.close();
  });
  const come = (clientId: string) =>
    connectAsync(`mqtt://${HOST}:${port}`, { protocolVersion: 4, clientId, reconnectPeriod: 0 });
  await assert.rejects(come('a'), /Identifier rejected/);
  await (await come('b')).endAsync();
});

test('an address leads here by any name of this machine and the port of the protocol, and nowhere else', async () => {
  const here = [
    'mqtt://127.0.0.1:1883',
    'mqtt://127.0.0.1',
    'mqtt://localhost',
    'mqtt://[::1]',
    'mqtt://0.0.0.0:1883',
  ];
  for (const url of here) assert.equal(await leadsHere(url, 1883), true, url);
  assert.equal(await leadsHere('mqtts://127.0.0.1', 8883), true);
  assert.equal(await leadsHere(`mqtt://${hostname()}`, 1884), false);
  for (const url of [
    'mqtt://192.0.2.1',
    'mqtt://127.0.0.1:1884',
    'mqtts://127.0.0.1',
    'mqtt://no.such.invalid',
  ])
    assert.equal(await leadsHere(url, 1883), false, url);
});
