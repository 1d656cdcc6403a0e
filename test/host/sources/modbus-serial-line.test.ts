import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ModbusSource } from '../../../host/sources/modbus/modbus-source.js';
import { rightPdu } from '../../support/devices/plc.js';
import { requestsIn, rtuFrame } from '../../support/devices/rtu-line.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

/** A pseudo terminal whose other end is the standard input and output of this program. */
const PTY = `
import os, pty, select, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
os.write(2, (os.ttyname(slave) + "\\n").encode())
while True:
    for fd in select.select([0, master], [], [])[0]:
        data = os.read(fd, 4096)
        if not data: sys.exit(0)
        os.write(master if fd == 0 else 1, data)
`;

const python = spawnSync('python3', ['-c', 'import pty, tty']);
const skip = python.status === 0 ? false : 'there is no python3 to make a pseudo terminal with';
const poll = [{ holding: { first: 0, last: 1 }, everyMs: 20 }];
const settings = { baud: 19_200, parity: 'none', dataBits: 8, stopBits: 2 } as const;

/** A line with units that answer; `close` takes it away. */
async function line(t: TestContext): Promise<{ path: string; close(): void }> {
  const child = spawn('python3', ['-c', PTY]);
  t.after(() => child.kill());
  child.stdout.on(
    'data',
    requestsIn(request => {
      child.stdin.write(rtuFrame(request.unit, rightPdu({ ...request, transaction: 0 })));
    }),
  );
  const [path] = (await once(createInterface(child.stderr), 'line')) as [string];
  return { path, close: () => child.kill() };
}

test('units on a serial line are read as those on TCP', { skip }, async t => {
  const { path } = await line(t);
  const ingress = new RecordingIngress();
  const devices = [{ serial: { path, ...settings }, units: [1, 2] }];
  const source = new ModbusSource('line2', { devices, poll, timeoutMs: 500 }, ingress);
  t.after(() => source.stop());
  await source.start();
  await ingress.until(() => ingress.frames.length >= 4);
  assert.deepEqual(
    ingress.frames.slice(0, 2).map(({ topic }) => topic),
    ['line2/1/3/0-1', 'line2/2/3/0-1'],
  );
  assert.equal(ingress.frames[0]!.bytes.subarray(4).toString('hex'), '0007010304' + '00000001');
  assert.deepEqual([source.state()[0]?.name, source.state()[0]?.state], [path, 'connected']);
  assert.deepEqual(ingress.faults, []);
});

test('a serial port that goes away is said, and looked for again', { skip }, async t => {
  const { path, close } = await line(t);
  const ingress = new RecordingIngress();
  const devices = [{ serial: { path, ...settings }, units: [1] }];
  const config = { devices, poll, timeoutMs: 100, reconnect: { minMs: 5, maxMs: 20 } };
  const source = new ModbusSource('line2', config, ingress);
  t.after(() => source.stop());
  await source.start();
  await ingress.until(() => ingress.frames.length > 0);
  close();
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length >= 2);
  assert.match(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').join('\n'), /next try in \d+ ms/);
});

test('a serial port that is not there is said with its path', async t => {
  const ingress = new RecordingIngress();
  const devices = [{ serial: { path: '/nowhere/ttyS9', ...settings }, units: [1] }];
  const source = new ModbusSource('line2', { devices, poll, timeoutMs: 100 }, ingress);
  t.after(() => source.stop());
  await source.start();
  await ingress.until(() => ingress.faults.length > 0);
  assert.match(ingress.faults[0]!.message, /^line2: \/nowhere\/ttyS9: .*No such file.*next try in \d+ ms$/);
});
