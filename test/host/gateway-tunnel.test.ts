import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TunnelPeer } from '../support/devices/tunnel-peer.js';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

const CONFIG = {
  sources: { plc: { tunnel: { port: 0 } } },
  routes: [{ from: 'plc', through: ['echo'] }],
};

type Rig = Awaited<ReturnType<typeof startGateway>>;

async function portOf(rig: Rig): Promise<number> {
  return Number(/:(\d+) listens/.exec((await rig.book.said(/listens for tunnels/)).msg)?.[1]);
}

test('a frame of a tunnel goes through a plugin, and its ACK is the PUBACK of the broker', async t => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  let confirm = (): void => {};
  server.behaviour.puback = () => 'none';
  server.behaviour.onPublish = (packet, connection) => {
    confirm = () => connection.send({ cmd: 'puback', messageId: packet.messageId! });
  };
  const sinks = { plant: { ...mqtt(server.port), spool: false } };
  const rig = await startGateway(t, { ...CONFIG, sinks }, ['echo']);
  const peer = await TunnelPeer.welcomed(await portOf(rig));
  t.after(() => peer.socket.destroy());
  peer.data(1);
  await server.until(() => server.published.length === 1);
  peer.ping(1);
  await peer.hears(/pong/);
  assert.deepEqual(peer.told, ['welcome 0', 'pong 1']);
  assert.equal(String(server.published[0]?.payload), '1');
  confirm();
  await peer.hears(/ack 1/);
  await rig.reaches(1, 'sluice_delivered_total', { source: 'plc' });
});

test('a gateway that is started again gives what a client sends again the message id that it had', async t => {
  const folder = await tempFolder(t);
  const server = await TestServer.start();
  t.after(() => server.stop());
  const config = {
    ...CONFIG,
    data: { dir: `${folder}/data` },
    sinks: { plant: mqtt(server.port, { version: 5 }) },
  };
  const ids = (): unknown[] =>
    server.published.map(({ properties }) => properties?.userProperties?.['sluice-id']);
  const first = await startGateway(t, config, ['echo']);
  const before = await TunnelPeer.welcomed(await portOf(first));
  before.data(1, 2);
  await before.hears(/ack 2/);
  await first.gateway.stop();
  const second = await startGateway(t, config, ['echo']);
  // It heard of the first frame only.
  const after = await TunnelPeer.welcomed(await portOf(second), 'press-4', 9, 2);
  t.after(() => after.socket.destroy());
  after.data(2, 3);
  await after.hears(/ack 3/);
  const [one, two, again, three] = ids().map(String);
  assert.match(one!, /\/plc\/press-4\.9-1$/);
  assert.equal(again, two);
  assert.match(three!, /\/plc\/press-4\.9-3$/);
});
