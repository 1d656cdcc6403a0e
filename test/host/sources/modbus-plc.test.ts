import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModbusConfig } from '../../../host/sources/modbus/config.js';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';

import { Stamp } from '../../../runtime/index.js';
import { startPlc } from '../../support/devices/plc.js';
import { msOf, RecordingIngress } from '../../support/sources/recording-ingress.js';

/** Register n of unit u holds 1000 u + n; bit n is set where n is divisible by three. */
const registers = {
  getHoldingRegister: (address: number, unit: number) => 1_000 * unit + address,
  getInputRegister: (address: number, unit: number) => 2_000 * unit + address,
  getCoil: (address: number) => address % 3 === 0,
  getDiscreteInput: (address: number) => address % 3 === 1,
};

/** Runs a source against the simulated PLC until `when`, and gives what came out. */
async function run(
  config: Omit<ModbusConfig, 'devices'> & { units: readonly number[] },
  when: (ingress: RecordingIngress) => boolean,
): Promise<{ ingress: RecordingIngress; source: ModbusSource }> {
  const plc = await startPlc(registers);
  const ingress = new RecordingIngress();
  const { units, ...rest } = config;
  const devices = [{ host: '127.0.0.1', port: plc.port, units }];
  const source = new ModbusSource('line1', { ...rest, devices }, ingress);
  try {
    await source.start();
    await ingress.until(() => when(ingress));
    assert.equal(source.state()[0]?.state, 'connected');
  } finally {
    await source.stop();
    await plc.stop();
  }
  return { ingress, source };
}

test('a poll of a real PLC becomes a frame: the whole ADU, under its topic, with its time and where its device is', async () => {
  const before = Date.now();
  const { ingress, source } = await run(
    { units: [7], poll: [{ holding: { first: 3, last: 5 }, everyMs: 20 }] },
    ({ frames }) => frames.length >= 3,
  );
  const where = source.state()[0]?.name;
  for (const { topic, bytes, timestampMs, properties } of ingress.frames) {
    assert.equal(topic, 'line1/7/3/3-5');
    assert.deepEqual(properties, [['peer', where]]);
    assert.equal(bytes.subarray(2).toString('hex'), '000000090703061b5b1b5c1b5d');
    assert.ok(timestampMs >= before - 5 && timestampMs <= Date.now() + 5);
  }
  assert.deepEqual(
    ingress.frames.slice(0, 3).map(({ bytes }) => bytes.readUInt16BE(0)),
    [1, 2, 3],
  );
  assert.deepEqual(ingress.faults, []);
  const [device, ...others] = source.state();
  assert.deepEqual(others, []);
  assert.equal(device?.state, 'stopped');
  assert.equal(msOf(Stamp.ofMs(device.lastFrame)), ingress.frames.at(-1)?.timestampMs);
});

test('all four functions, several units and ranges too long for one request are read over one connection', async () => {
  const { ingress } = await run(
    {
      units: [1, 2],
      inFlight: 3,
      poll: [
        { coils: { first: 0, last: 9 }, everyMs: 500 },
        { discrete: { first: 0, last: 9 }, everyMs: 500 },
        { holding: { first: 0, last: 129 }, everyMs: 500 },
        { input: { first: 4, last: 4 }, everyMs: 500 },
      ],
    },
    ({ frames }) => frames.length >= 10,
  );
  const data = Object.fromEntries(
    ingress.frames.map(({ topic, bytes }) => [topic, bytes.subarray(9).toString('hex')]),
  );
  assert.deepEqual(Object.keys(data).sort(), [
    'line1/1/1/0-9',
    'line1/1/2/0-9',
    'line1/1/3/0-124',
    'line1/1/3/125-129',
    'line1/1/4/4-4',
    'line1/2/1/0-9',
    'line1/2/2/0-9',
    'line1/2/3/0-124',
    'line1/2/3/125-129',
    'line1/2/4/4-4',
  ]);
  assert.equal(data['line1/1/1/0-9'], '4902');
  assert.equal(data['line1/1/2/0-9'], '9200');
  assert.equal(data['line1/1/3/0-124']?.length, 500);
  assert.equal(data['line1/2/3/125-129'], '084d084e084f08500851');
  assert.equal(data['line1/2/4/4-4'], '0fa4');
  assert.deepEqual(ingress.faults, []);
});
