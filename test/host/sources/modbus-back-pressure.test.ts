import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';
import { answerTo, RawDevice } from '../../support/devices/plc.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

/** A device that answers all, and whose registers tell which answer it is. */
function countingDevice(): RawDevice {
  let answers = 0;
  return new RawDevice((request, socket) => {
    const bytes = answerTo(request);
    bytes.writeUInt16BE(answers++, 9);
    socket.write(bytes);
  });
}

const poll = [{ holding: { first: 0, last: 1 }, everyMs: 10 }];

/** A started source on these devices; all are stopped when the test ends. */
async function started(
  t: TestContext,
  devices: readonly RawDevice[],
  units: readonly number[],
  ingress: RecordingIngress,
  timeoutMs = 20_000,
): Promise<ModbusSource> {
  const ports = await Promise.all(devices.map(device => device.start()));
  const where = ports.map((port, i) => ({ name: `d${i}`, host: '127.0.0.1', port, units }));
  const settings = { timeoutMs, reconnect: { minMs: 5, maxMs: 20 } };
  const source = new ModbusSource('line1', { devices: where, poll, ...settings }, ingress);
  t.after(async () => {
    await source.stop();
    await Promise.all(devices.map(device => device.stop()));
  });
  await source.start();
  return source;
}

test('without room polls are skipped and counted, and nothing is asked of the device', async t => {
  const device = countingDevice();
  const ingress = new RecordingIngress();
  ingress.room = false;
  await started(t, [device], [1, 2], ingress);
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE') >= 6);
  assert.deepEqual([device.requests.length, ingress.frames.length], [0, 0]);
  ingress.room = true;
  await ingress.until(() => ingress.frames.length >= 2);
  assert.deepEqual(ingress.faults, []);
});

test('answers that find no room wait for it, and none is lost, repeated or out of order', async t => {
  const device = countingDevice();
  const ingress = new RecordingIngress();
  const source = await started(t, [device], [1, 2, 3, 4], ingress);
  for (let round = 1; round <= 5; round++) {
    const { refused } = ingress;
    ingress.places = round % 3;
    await ingress.until(() => ingress.refused > refused);
    const taken = ingress.frames.length;
    const skips = ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE');
    await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE') >= skips + 4);
    assert.equal(ingress.frames.length, taken, 'nothing is given while there is no room');
    ingress.places = Number.POSITIVE_INFINITY;
    source.resume();
    await ingress.until(() => ingress.frames.length >= taken + 8);
  }
  const numbers = ingress.frames.map(({ bytes }) => bytes.readUInt16BE(9));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => i),
  );
  assert.deepEqual(ingress.faults, []);
  assert.equal(device.connections, 1);
});

test('an answer that comes while another waits for room is neither lost nor late', async t => {
  const later: (() => void)[] = [];
  const device = new RawDevice((request, socket) => {
    if (request.unit === 1) socket.write(answerTo(request));
    else later.push(() => socket.write(answerTo(request)));
  });
  const ingress = new RecordingIngress();
  ingress.places = 0;
  const source = await started(t, [device], [1, 2], ingress, 200);
  await ingress.until(() => ingress.refused > 0);
  for (const answer of later.splice(0)) answer();
  // Of both units; fifty periods are more than twice the time an answer may take.
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE') >= 100);
  assert.equal(ingress.refused, 1, 'nothing is read while an answer waits');
  ingress.places = Number.POSITIVE_INFINITY;
  source.resume();
  await ingress.until(() => ingress.frames.length >= 2);
  assert.deepEqual(
    ingress.frames.slice(0, 2).map(({ topic }) => topic),
    ['line1/1/3/0-1', 'line1/2/3/0-1'],
  );
  assert.deepEqual(ingress.faults, []);
});

test('several devices that wait for room each get their turn', async t => {
  const devices = [countingDevice(), countingDevice(), countingDevice()];
  const ingress = new RecordingIngress();
  ingress.places = 0;
  const source = await started(t, devices, [1], ingress);
  await ingress.until(() => ingress.refused >= 3);
  for (let i = 0; i < 3; i++) {
    ingress.places = 1;
    source.resume();
  }
  assert.deepEqual(ingress.frames.map(({ topic }) => topic).sort(), [
    'line1/d0/1/3/0-1',
    'line1/d1/1/3/0-1',
    'line1/d2/1/3/0-1',
  ]);
});

test('a device that closes while its answers wait for room loses none of them', async t => {
  const device = new RawDevice((request, socket, { requests }) => {
    const bytes = answerTo(request);
    bytes.writeUInt16BE(requests.length, 9);
    socket.write(bytes);
    if (requests.length === 4) socket.end();
  });
  const ingress = new RecordingIngress();
  ingress.places = 1;
  const source = await started(t, [device], [1, 2, 3, 4], ingress);
  await ingress.until(() => ingress.refused > 0);
  const [socket] = device.sockets;
  if (socket !== undefined && !socket.writableFinished) await once(socket, 'finish');
  await turn();
  ingress.places = Number.POSITIVE_INFINITY;
  source.resume();
  await ingress.until(() => ingress.frames.length >= 8);
  const numbers = ingress.frames.map(({ bytes }) => bytes.readUInt16BE(9));
  assert.deepEqual(numbers.slice(0, 4), [1, 2, 3, 4]);
  // The next round may have met the closed connection; what comes behind is of the new one, in order.
  const [from = 0] = numbers.slice(4);
  assert.deepEqual(numbers.slice(4, 8), [from, from + 1, from + 2, from + 3]);
  assert.ok(ingress.faults.every(({ message }) => message.includes('the device closed the connection')));
});

test('stopping while answers wait for room ends, and gives none of them afterwards', async t => {
  const device = countingDevice();
  const ingress = new RecordingIngress();
  ingress.places = 0;
  const source = await started(t, [device], [1, 2], ingress);
  await ingress.until(() => ingress.refused > 0);
  await source.stop();
  ingress.places = Number.POSITIVE_INFINITY;
  source.resume();
  assert.deepEqual(ingress.frames, []);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length, 2);
});
