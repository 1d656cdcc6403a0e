import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { RestartableBroker } from '../support/devices/gateway-peers.js';
import { register, request, roundTrip, WritingDevice } from '../support/devices/writing-device.js';
import { type GatewayRig, makeGateway, mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

const ROUTES = [{ from: 'panel', through: ['modbus-json'] }];

function panel(options: Record<string, unknown> = {}) {
  return { panel: { modbus: { listen: { port: 0, ...options } } } };
}

/** The port that the log tells. */
async function portOf(rig: GatewayRig): Promise<number> {
  return Number(/:(\d+) listens/.exec((await rig.book.said(/listens for devices that write/)).msg)?.[1]);
}

test("what a device writes arrives through modbus-json, and the device is answered with the broker's PUBACK", async t => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  let confirm = (): void => {};
  server.behaviour.puback = () => 'none';
  server.behaviour.onPublish = (packet, connection) => {
    confirm = () => connection.send({ cmd: 'puback', messageId: packet.messageId! });
  };
  const rig = await startGateway(
    t,
    { sources: panel({ timeout: '60s' }), sinks: { plant: mqtt(server.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  const port = await portOf(rig);
  const device = await WritingDevice.connect(port);
  t.after(() => device.socket.destroy());
  device.send([16, 0, 4, 0, 2, 4, 0, 7, 0xff, 0xff]);
  await server.until(() => server.published.length === 1);
  await roundTrip(port);
  assert.deepEqual(device.answers, []);
  const { topic, payload } = server.published[0]!;
  assert.deepEqual(
    [topic, JSON.parse(payload.toString())],
    ['panel/1/3/4-5', { unit: 1, function: 3, first: 4, values: [7, 65535] }],
  );
  confirm();
  assert.deepEqual(await device.answered(1), ['000100000006011000040002']);
  await rig.reaches(1, 'sluice_delivered_total', { source: 'panel' });
});

test('while the broker is away devices are told to come again, and a write that comes again arrives', async t => {
  const broker = new RestartableBroker(await freePort());
  t.after(() => broker.stop());
  const rig = await startGateway(
    t,
    { sources: panel({ timeout: '100ms' }), sinks: { plant: mqtt(broker.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  const device = await WritingDevice.connect(await portOf(rig));
  t.after(() => device.socket.destroy());
  const write = [16, 0, 0, 0, 3, 6, 0, 0, 0, 0, 0, 1];
  device.send(write);
  assert.deepEqual(await device.answered(1), ['000100000003019006']);
  await rig.book.line('SLUICE_SOURCE_UNCONFIRMED', { source: 'panel' });
  await broker.start();
  await broker.atLeast(1);
  // A device does so until it is told that it is done.
  let answer = '';
  for (let n = 2; !answer.endsWith('011000000003'); n++) {
    device.socket.write(request(n, write));
    answer = (await device.answered(n))[n - 1]!;
  }
  await broker.atLeast(2);
  // Taken before the device was told to come again: twice, as is said.
  assert.deepEqual(broker.repeated('panel/1'), [1]);
});

test('a plugin that no route names runs on a source that listens too', async t => {
  const rig = await startGateway(t, { sources: panel({ timeout: '60s' }) });
  await rig.drop('modbus-json');
  const device = await WritingDevice.connect(await portOf(rig));
  t.after(() => device.socket.destroy());
  device.send(register(1, 1));
  assert.deepEqual(await device.answered(1), ['000100000006010600010001']);
});

test('a port in use ends the start with the setting, or is said when a plugin brings the source up later', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const first = await makeGateway(t, { sources: panel({ port }), routes: ROUTES }, ['modbus-json']);
  await assert.rejects(first.gateway.start(), {
    code: 'SLUICE_LISTEN_IN_USE',
    message: /sources\.panel\.modbus\.listen/,
  });
  const second = await startGateway(t, { sources: panel({ port }) });
  await second.drop('modbus-json');
  const line = await second.book.line('SLUICE_LISTEN_IN_USE');
  assert.match(line.msg, /The source panel cannot listen on 127\.0\.0\.1/);
});
