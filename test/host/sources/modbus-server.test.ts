import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import modbusSerial from 'modbus-serial';
import { ModbusServer } from '../../../host/sources/modbus-server/modbus-server.js';
import type { ModbusServerConfig } from '../../../host/sources/modbus-server/server-config.js';
import { register, request, roundTrip, WritingDevice } from '../../support/devices/writing-device.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

/** A started source on a port of the system's; stopped when the test ends. */
async function scene(t: TestContext, config: Partial<ModbusServerConfig> = {}) {
  const ingress = new RecordingIngress();
  const source = new ModbusServer('panel', { host: '127.0.0.1', port: 0, ...config }, ingress);
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  const port = Number(source.state()[0]?.name.split(':')[1]);
  const device = await WritingDevice.connect(port);
  t.after(() => device.socket.destroy());
  return { ingress, source, port, device };
}

test('each kind of write becomes a frame that reads as the reply to a read, and is answered when it is delivered', async t => {
  const { ingress, source, port } = await scene(t);
  const client = new modbusSerial.default();
  await client.connectTCP('127.0.0.1', { port });
  t.after(() => client.close(() => {}));
  client.setID(7);
  client.setTimeout(5000);
  const write = async <T>(sequence: number, answer: Promise<T>): Promise<T> => {
    await ingress.until(() => ingress.frames.length === sequence);
    source.delivered(sequence);
    return answer;
  };
  assert.deepEqual(await write(1, client.writeCoil(3, true)), { address: 3, state: true });
  assert.deepEqual(await write(2, client.writeRegister(10, 0xabcd)), { address: 10, value: 0xabcd });
  assert.deepEqual(await write(3, client.writeCoils(0, [true, false, true])), { address: 0, length: 3 });
  assert.deepEqual(await write(4, client.writeRegisters(100, [1, 2, 3])), { address: 100, length: 3 });
  assert.deepEqual(
    ingress.frames.map(({ topic, bytes }) => [topic, bytes.toString('hex', 2)]),
    [
      ['panel/7/1/3-3', '00000004' + '07' + '010101'],
      ['panel/7/3/10-10', '00000005' + '07' + '0302abcd'],
      ['panel/7/1/0-2', '00000004' + '07' + '010105'],
      ['panel/7/3/100-102', '00000009' + '07' + '0306000100020003'],
    ],
  );
  const transactions = ingress.frames.map(({ bytes }) => bytes.readUInt16BE(0));
  assert.equal(new Set(transactions).size, 4);
  assert.deepEqual(ingress.faults, []);
});

test('a device is answered only when its frame is delivered, and in the order of its requests', async t => {
  const { ingress, source, port, device } = await scene(t, { timeoutMs: 60_000 });
  device.send(register(1, 11), [3, 0, 0, 0, 1], register(2, 22), register(3, 33));
  await ingress.until(() => ingress.frames.length === 3);
  await roundTrip(port);
  // The exception for the read could be said at once, but it is the second.
  assert.deepEqual(device.answers, []);
  source.delivered(2);
  await roundTrip(port);
  assert.equal(device.answers.length, 3);
  assert.deepEqual(await device.answered(3), [
    '000100000006' + '010600010' + '00b',
    '000200000003' + '018301',
    '000300000006' + '0106000200' + '16',
  ]);
  source.delivered(3);
  assert.equal((await device.answered(4))[3], '000400000006' + '0106000300' + '21');
});

test('devices do not wait for each other, and the same addresses of two units are two topics', async t => {
  const { ingress, source, port, device } = await scene(t, { timeoutMs: 60_000 });
  const other = await WritingDevice.connect(port);
  t.after(() => other.socket.destroy());
  device.socket.write(request(1, register(0, 1), 1));
  await ingress.until(() => ingress.frames.length === 1);
  other.socket.write(request(9, [6, 0, 0], 2));
  assert.deepEqual(await other.answered(1), ['000900000003' + '028603']);
  other.socket.write(request(10, register(0, 1), 2));
  await ingress.until(() => ingress.frames.length === 2);
  source.delivered(2);
  await Promise.all([device.answered(1), other.answered(2)]);
  assert.deepEqual(
    ingress.frames.map(({ topic }) => topic),
    ['panel/1/3/0-0', 'panel/2/3/0-0'],
  );
});

test('of one device sixteen writes are open, and the next are read when the first are answered', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 60_000 });
  device.send(...Array.from({ length: 40 }, (_, n) => register(n, n)));
  await ingress.until(() => ingress.frames.length === 16);
  source.delivered(10);
  await device.answered(10);
  assert.equal(ingress.frames.length, 26);
  source.delivered(26);
  await device.answered(26);
  source.delivered(40);
  const answers = await device.answered(40);
  assert.deepEqual(
    answers.map(answer => Number.parseInt(answer.slice(0, 4), 16)),
    Array.from({ length: 40 }, (_, n) => n + 1),
  );
});

test('however requests are cut up, each is one frame', async t => {
  const { ingress, source, device } = await scene(t);
  const bytes = Buffer.concat(Array.from({ length: 6 }, (_, n) => request(n + 1, register(n, n))));
  for (let at = 0; at < bytes.length; at += 5) {
    await new Promise(resolve => device.socket.write(bytes.subarray(at, at + 5), resolve));
  }
  await ingress.until(() => ingress.frames.length === 6);
  source.delivered(6);
  await device.answered(6);
});

test('a write without room waits for it, is taken when there is some, and none comes twice or out of order', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 60_000 });
  ingress.places = 1;
  device.send(register(1, 1), register(2, 2), register(3, 3));
  await ingress.until(() => ingress.refused === 1);
  source.resume();
  assert.deepEqual([ingress.frames.length, ingress.refused], [1, 2]);
  ingress.places = 10;
  source.resume();
  assert.deepEqual(
    ingress.frames.map(({ topic }) => topic),
    ['panel/1/3/1-1', 'panel/1/3/2-2', 'panel/1/3/3-3'],
  );
  source.delivered(3);
  await device.answered(3);
  assert.deepEqual([ingress.faults, ingress.skips.size], [[], 0]);
});

test('a write that finds no room in time is answered with "busy", counted, and gives no frame', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 30 });
  ingress.places = 0;
  device.send(register(1, 1), register(2, 2));
  assert.deepEqual(await device.answered(2), ['000100000003018606', '000200000003018606']);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE'), 2);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_BACKPRESSURE')[0] ?? '',
    /^panel: 127\.0\.0\.1 is told to come again \(exception 6\): the routes behind the source have been full for 30 ms/,
  );
  // The device comes again, as it was told to.
  ingress.places = 10;
  device.socket.write(request(3, register(1, 1)));
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  assert.equal((await device.answered(3))[2], '000300000006010600010001');
});

test('a write that no sink confirms in time is answered with "busy", and one that comes then is heard of in its turn', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 30 });
  device.send(register(1, 1));
  assert.deepEqual(await device.answered(1), ['000100000003018606']);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_UNCONFIRMED')[0] ?? '',
    /1 of its writes were taken, and no sink confirmed them within 30 ms/,
  );
  assert.equal(ingress.frames.length, 1);
  // The confirmation that comes late answers nothing a second time.
  source.delivered(1);
  device.socket.write(request(2, register(1, 1)));
  await ingress.until(() => ingress.frames.length === 2);
  source.delivered(2);
  assert.equal((await device.answered(2))[1], '000200000006010600010001');
});

test('a device that closes its sending side behind a write still gets its answer', async t => {
  const { ingress, source, device } = await scene(t);
  device.socket.end(request(1, register(1, 1)));
  await ingress.until(() => ingress.frames.length === 1);
  source.delivered(1);
  assert.deepEqual(await device.answered(1), ['000100000006010600010001']);
  await device.isClosed();
  assert.deepEqual(ingress.faults, []);
});

test('a stop answers what is delivered, tells the others to come again, and takes no more', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 60_000 });
  device.send(register(1, 1), register(2, 2));
  await ingress.until(() => ingress.frames.length === 2);
  await source.stop();
  device.socket.write(request(3, register(3, 3)));
  source.delivered(1);
  assert.deepEqual(await device.answered(1), ['000100000006010600010001']);
  await source.close();
  await device.isClosed();
  assert.deepEqual(device.answers.slice(1), ['000200000003018606']);
  assert.equal(ingress.frames.length, 2);
});

test('the address that is listened on, and who is connected, are told', async t => {
  const { ingress, source, device } = await scene(t);
  device.send(register(1, 1));
  await ingress.until(() => ingress.frames.length === 1);
  const [own, peer] = source.state();
  assert.deepEqual([own?.state, peer?.name, peer?.state], ['connected', '127.0.0.1', 'connected']);
  assert.ok(peer!.lastFrame > 0 && own?.lastFrame === peer?.lastFrame);
  assert.deepEqual(ingress.peers, [own?.name]);
});

test('a write whose frame a route sends back is answered with exception 6 in its turn', async t => {
  const { ingress, source, device } = await scene(t, { timeoutMs: 60_000 });
  device.send(register(1, 11), register(2, 22), register(3, 33));
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual([source.sendBack(2), source.sendBack(9)], [true, false]);
  source.delivered(3);
  assert.deepEqual(await device.answered(3), [
    '000100000006' + '0106000100' + '0b',
    '000200000003' + '018606',
    '000300000006' + '0106000300' + '21',
  ]);
});

test('frames carry the address of their device; one address has its share of connections and of writes a second', async t => {
  const ingress = new RecordingIngress();
  const limits = { connectionsPerPeer: 2, rate: 1 };
  const source = new ModbusServer('panel', { host: '127.0.0.1', port: 0, ...limits }, ingress);
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  const port = Number(source.state()[0]?.name.split(':')[1]);
  const [one, two] = [await WritingDevice.connect(port), await WritingDevice.connect(port)];
  one.send(register(5, 5), register(6, 6));
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_RATE') === 1);
  assert.deepEqual(ingress.frames[0]!.properties, [['peer', '127.0.0.1']]);
  source.delivered(1);
  const answers = await one.answered(2);
  assert.match(answers[1]!, /8606$/, 'exception 6: come again');
  const third = await WritingDevice.connect(port);
  await third.isClosed();
  assert.match(ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS')[0]!, /2 connections of this address are open/);
  for (const device of [one, two]) device.socket.destroy();
});
