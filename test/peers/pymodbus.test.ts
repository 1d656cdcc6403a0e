import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mqtt, startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { Mosquitto } from './mosquitto.js';
import { MosquittoSub } from './mosquitto-clients.js';
import { PymodbusDevice } from './pymodbus-device.js';

interface Converted {
  readonly unit: number;
  readonly function: number;
  readonly first: number;
  readonly values: (number | boolean)[];
}

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];

function range(length: number, value: (index: number) => number): number[] {
  return Array.from({ length }, (_, index) => value(index));
}

test("coils, inputs and both kinds of registers of pymodbus's server arrive as it holds them", async t => {
  const device = await PymodbusDevice.start();
  t.after(() => device.stop());
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  await startGateway(
    t,
    {
      sources: {
        line1: {
          modbus: {
            devices: [{ host: '127.0.0.1', port: device.port, units: '1-2' }],
            poll: [
              { coils: '0-9', every: '20ms' },
              { discrete: '3-9', every: '20ms' },
              { holding: '0-9', every: '20ms' },
              { input: '4-7', every: '20ms' },
            ],
          },
        },
      },
      sinks: { plant: mqtt(broker.port, { version: 5 }) },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  const wanted = [1, 2].flatMap(unit => [
    [`line1/${unit}/1/0-9`, range(10, i => Number((i + unit) % 3 === 0))],
    [`line1/${unit}/2/3-9`, range(7, i => Number((i + 3 + unit) % 2 === 0))],
    [`line1/${unit}/3/0-9`, range(10, i => 1000 * unit + i)],
    [`line1/${unit}/4/4-7`, range(4, i => 65535 - 1000 * unit - i - 4)],
  ]);
  await witness.until(
    'all eight polls, twice',
    messages => new Set(messages.map(({ topic }) => topic)).size === 8 && messages.length >= 16,
  );
  const seen = new Map(
    witness.messages.map(({ topic, payload }) => {
      const { values } = JSON.parse(payload.toString()) as Converted;
      return [topic, values.map(Number)];
    }),
  );
  assert.deepEqual([...seen].sort(), wanted);
});

test('an exception reply of pymodbus is counted as what it is, and the other unit goes on', async t => {
  const device = await PymodbusDevice.start();
  t.after(() => device.stop());
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const rig = await startGateway(
    t,
    {
      sources: {
        line1: {
          modbus: {
            devices: [{ host: '127.0.0.1', port: device.port, units: '1-2' }],
            // Unit 2 ends at address 9.
            poll: [{ holding: '8-15', every: '20ms' }],
          },
        },
      },
      sinks: { plant: mqtt(broker.port) },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  const line = await rig.book.line('SLUICE_CONVERT_DEVICE');
  assert.match(line.msg, /Modbus exception 2 \(illegal data address\) from unit 2/);
  await witness.atLeast(5);
  assert.deepEqual([...new Set(witness.messages.map(({ topic }) => topic))], ['line1/1/3/8-15']);
});

test('a pymodbus device that is killed and started again on its port is polled again', async t => {
  let device = await PymodbusDevice.start();
  t.after(() => device.stop());
  const broker = await Mosquitto.start(await tempFolder(t));
  t.after(() => broker.stop());
  const witness = await MosquittoSub.start(broker.port, '#');
  t.after(() => witness.stop());
  const { port } = device;
  const rig = await startGateway(
    t,
    {
      sources: {
        line1: {
          modbus: {
            devices: [{ host: '127.0.0.1', port }],
            poll: [{ holding: '0-3', every: '20ms' }],
            reconnect: { min: '20ms', max: '50ms' },
          },
        },
      },
      sinks: { plant: mqtt(broker.port) },
      routes: ROUTES,
    },
    ['modbus-json'],
  );
  await witness.atLeast(5);
  await device.stop();
  await rig.book.line('SLUICE_SOURCE_DISCONNECTED', { source: 'line1' });
  device = await PymodbusDevice.start(port);
  await witness.atLeast(witness.messages.length + 5);
});
