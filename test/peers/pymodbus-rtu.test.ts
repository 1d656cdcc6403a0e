import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ModbusDevice } from '../../host/sources/modbus/config.js';
import { ModbusSource } from '../../host/sources/modbus/modbus-source.js';
import { RecordingIngress } from '../support/sources/recording-ingress.js';
import { Program } from './program.js';

const SCRIPT = fileURLToPath(new URL('../../../test/peers/pymodbus-rtu.py', import.meta.url));

test("units behind pymodbus's RTU server are read as it holds them, on a serial line and over TCP; one that is not there is told", async t => {
  // Debian's own python3: pymodbus is installed for it.
  const program = new Program('/usr/bin/python3', [SCRIPT]);
  t.after(() => program.stop());
  const [, path = ''] = await program.said(/^line (\S+)$/m);
  const [, port] = await program.said(/^port (\d+)$/m);
  const settings = { baud: 19_200, parity: 'none', dataBits: 8, stopBits: 2 } as const;
  const lines: readonly (readonly [string, ModbusDevice])[] = [
    ['serial', { serial: { path, ...settings }, units: [1, 2, 3] }],
    ['tcp', { host: '127.0.0.1', port: Number(port), framing: 'rtu', units: [1, 2, 3] }],
  ];
  for (const [name, device] of lines) {
    const ingress = new RecordingIngress();
    const poll = [{ holding: { first: 2, last: 4 }, everyMs: 50 }];
    const source = new ModbusSource(name, { devices: [device], poll, timeoutMs: 1000 }, ingress);
    await source.start();
    const isTold = (): boolean => ingress.faults.some(({ message }) => /unit 3/.test(message));
    await ingress.until(
      () =>
        new Set(ingress.frames.map(({ topic }) => topic)).size >= 2 && ingress.frames.length >= 6 && isTold(),
    );
    await source.stop();
    const seen = new Map(
      ingress.frames.map(({ topic, bytes }) => [topic, [9, 11, 13].map(at => bytes.readUInt16BE(at)).join()]),
    );
    assert.deepEqual(
      [...seen].sort(),
      [1, 2].map(unit => [`${name}/${unit}/3/2-4`, [2, 3, 4].map(i => 1000 * unit + i).join()]),
    );
  }
});
