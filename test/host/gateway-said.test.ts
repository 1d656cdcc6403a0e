import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CountingPlc } from '../support/devices/gateway-peers.js';
import { RawDevice } from '../support/devices/plc.js';
import { type LogLine, modbus, startGateway } from '../support/gateway/gateway-rig.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];
const SKIPPED = 'sluice_polls_skipped_total';

/** A device that takes connections and answers nothing. */
async function silentDevice(t: { after(end: () => unknown): void }): Promise<number> {
  const device = new RawDevice(() => {});
  const port = await device.start();
  t.after(() => device.stop());
  return port;
}

const shown = ({ level, source, peer, msg }: LogLine) => [level, source, peer, msg];

test('a source that no route reads is not started, and the log says so once with what to do', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const sources = { line1: modbus(plc.port), line2: modbus(plc.port) };
  const rig = await startGateway(t, { sources, routes: ROUTES }, ['modbus-json']);
  const lines = rig.book.of('SLUICE_SOURCE_UNUSED');
  const message = 'line2 is not started: no route reads it';
  assert.deepEqual(lines.map(shown), [['warn', 'line2', undefined, message]]);
  assert.match(String(lines[0]?.remedy), /`from` of a route/);
});

test('a source that a plugin takes by its `accepts` is read, and nothing is said', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) } }, ['modbus-json']);
  await rig.reaches(1, 'sluice_frames_total', { source: 'line1' });
  assert.deepEqual(rig.book.of('SLUICE_SOURCE_UNUSED'), []);
});

test('polls behind one that is not answered yet are left out: one line with the device and what to do, for hundreds', async t => {
  const port = await silentDevice(t);
  const polled = modbus(port, { every: '1ms', units: '1-8', timeout: '30s' });
  const rig = await startGateway(t, { sources: { line1: polled }, routes: ROUTES }, ['modbus-json']);
  await rig.reaches(500, SKIPPED, { source: 'line1', code: 'SLUICE_SOURCE_OVERRUN' });
  const lines = rig.book.of('SLUICE_SOURCE_OVERRUN');
  const peer = `127.0.0.1:${port}`;
  const message = `polls of line1 are left out: ${peer} has not answered the ones before yet`;
  assert.deepEqual(lines.map(shown), [['warn', 'line1', peer, message]]);
  assert.match(String(lines[0]?.remedy), /Poll less often/);
});

test('polls for which the gateway is late are left out: one line for all devices of a source', async t => {
  const ports = [await silentDevice(t), await silentDevice(t)];
  const devices = ports.map((port, n) => ({ host: '127.0.0.1', port, name: `press-${n + 1}` }));
  const polled = modbus(0, { devices, every: '5ms', timeout: '30s' });
  const rig = await startGateway(t, { sources: { line1: polled }, routes: ROUTES }, ['modbus-json']);
  const late = { source: 'line1', code: 'SLUICE_SOURCE_LATE' };
  const before = await rig.metric(SKIPPED, late);
  // The loop stands still, as it does for a program that has no processor.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  await rig.reaches(before + 20, SKIPPED, late);
  const lines = rig.book.of('SLUICE_SOURCE_LATE');
  assert.equal(lines.length, 1);
  const [line] = lines as [LogLine];
  assert.match(String(line.peer), /^press-[12]$/);
  const message = `polls of line1 are left out: the gateway came to ${line.peer} a whole period late`;
  assert.deepEqual(shown(line), ['warn', 'line1', line.peer, message]);
  assert.match(String(line.remedy), /more processor time/);
});

test('the event stream tells of polls that are left out once in a second, not each time', async t => {
  const port = await silentDevice(t);
  const polled = modbus(port, { every: '1ms', units: '1-8', timeout: '30s' });
  const rig = await startGateway(t, { sources: { line1: polled }, routes: ROUTES }, ['modbus-json']);
  const token = (await readFile(join(dirname(rig.plugins), 'data/admin-token'), 'utf8')).trim();
  const where = { host: '127.0.0.1', port: rig.gateway.adminPort, path: '/v1/events', agent: false };
  const asked = request({ ...where, headers: { authorization: `Bearer ${token}` } });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  t.after(() => response.destroy());
  response.on('error', () => {});
  let text = '';
  response.on('data', chunk => {
    text += String(chunk);
  });
  const began = performance.now();
  const overrun = { source: 'line1', code: 'SLUICE_SOURCE_OVERRUN' };
  const before = await rig.metric(SKIPPED, overrun);
  while (!text.includes(overrun.code)) await once(response, 'data');
  await rig.reaches(before + 2000, SKIPPED, overrun);
  const events = text.split(`"code":"${overrun.code}"`).length - 1;
  const most = (performance.now() - began) / 1000 + 1;
  assert.ok(events >= 1 && events <= most, `${events} events, at most ${most}`);
});
