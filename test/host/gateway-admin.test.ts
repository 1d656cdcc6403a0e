import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CountingPlc } from '../support/devices/gateway-peers.js';
import { unusedPort } from '../support/devices/plc.js';
import { makeGateway, modbus, mqtt, startGateway, variant } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];

test('ready says the truth: while a route waits for its plugin its frames are safe, and what is wrong is told with what to do', async t => {
  const rig = await startGateway(t, {
    sources: { line1: modbus(await unusedPort()) },
    sinks: { plant: mqtt(await freePort()) },
    routes: ROUTES,
  });
  assert.equal((await rig.get('/livez')).status, 200);
  const { ready, reasons, degraded } = await rig.ready();
  assert.deepEqual([ready, reasons], [true, []]);
  assert.deepEqual(
    degraded.filter(({ route }) => route === 'line1'),
    [
      {
        route: 'line1',
        code: 'SLUICE_PLUGIN_UNKNOWN',
        message: 'route line1 waits for the plugin modbus-json; its frames wait on the disk',
        remedy: 'Put the file into the folder, or correct the name in the configuration.',
      },
    ],
  );
});

test('a route whose plugin was refused says so in readyz; the next file sets it right', async t => {
  const rig = await startGateway(t, { sources: { line1: modbus(await unusedPort()) }, routes: ROUTES });
  await writeFile(join(rig.plugins, 'x.wasm'), await variant('missing-export', { name: 'modbus-json' }));
  const line = await rig.book.line('SLUICE_MODULE_EXPORT');
  assert.match(line.msg, /^x\.wasm is refused: .*; nothing serves this route yet$/);
  assert.deepEqual(await rig.degraded('SLUICE_ROUTE_UNSERVED'), [
    'route line1: its plugins are refused; its frames wait on the disk',
  ]);
  await writeFile(join(rig.plugins, 'x.wasm'), await variant('echo', { name: 'modbus-json' }));
  await rig.book.said(/x\.wasm serves/);
  assert.deepEqual(await rig.degraded('SLUICE_ROUTE_UNSERVED'), []);
});

test('where frames of a route can be neither delivered nor put on the disk it is not ready', async t => {
  const routes = [{ name: 'line1', from: 'line1', through: ['absent'], whenOpen: 'refuse' }];
  const refusing = await startGateway(t, { sources: { line1: modbus(await unusedPort()) }, routes });
  assert.equal((await refusing.get('/readyz')).status, 503);
  assert.deepEqual((await refusing.ready()).reasons, [
    'route line1 waits for the plugin absent; its frames are refused (`whenOpen: refuse`)',
  ]);
  const rig = await makeGateway(t, { sources: { line1: modbus(await unusedPort()) }, routes: ROUTES });
  // No folder can be made where a file is.
  await writeFile(join(dirname(rig.plugins), 'data'), '');
  await rig.gateway.start();
  assert.deepEqual((await rig.ready()).reasons, [
    'route line1 waits for the plugin modbus-json; its frames cannot wait on the disk: there is none',
  ]);
});

test('without routes and without plugins it is not ready, and a plugin that fits makes it so', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) } });
  assert.match(
    (await rig.ready()).reasons.join(),
    /^no route: the plugin folder .* holds no plugin that fits/,
  );
  assert.equal(plc.replies, 0, 'nobody wants what a poll would give');
  await rig.drop('modbus-json');
  await rig.book.said(/no route names modbus-json: it gets one of its own, from line1 to all sinks/);
  await plc.until('polls', () => plc.replies > 10);
  assert.equal((await rig.ready()).ready, true);
});

test('a plugin that nothing asks for and that fits no source is named', async t => {
  const rig = await startGateway(t, { sources: { line1: modbus(await unusedPort()) }, routes: ROUTES }, [
    'modbus-json',
    'echo',
  ]);
  const line = await rig.book.line('SLUICE_PLUGIN_UNUSED');
  assert.equal(line.file, 'echo.wasm');
  assert.match(line.msg, /^echo\.wasm runs nowhere: no route names echo/);
});

test('metrics tell of frames, messages and batches by configured names, never by address', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) }, routes: ROUTES }, [
    'modbus-json',
  ]);
  await rig.reaches(20, 'sluice_delivered_total', { source: 'line1' });
  const { status, body } = await rig.get('/metrics');
  assert.equal(status, 200);
  for (const text of [
    /^sluice_frames_total\{source="line1"\} \d+$/m,
    /^sluice_messages_total\{sink="embedded"\} \d+$/m,
    /^sluice_batch_frames_count\{plugin="modbus-json"\} \d+$/m,
    /^sluice_slabs_in_use\{route="line1"\} \d$/m,
  ]) {
    assert.match(body, text);
  }
  assert.doesNotMatch(body, /127\.0\.0\.1/);
});

test('a port in use is said with its code, and nothing is left running', async t => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await makeGateway(
    t,
    { admin: { port }, sources: { line1: modbus(plc.port) }, routes: ROUTES },
    ['modbus-json'],
  );
  await assert.rejects(rig.gateway.start(), {
    code: 'SLUICE_LISTEN_IN_USE',
    message: new RegExp(`admin: cannot listen on 127\\.0\\.0\\.1:${port}`),
  });
  assert.equal(plc.replies, 0);
  const broker = createServer().listen(rig.gateway.brokerPort, '127.0.0.1');
  await once(broker, 'listening');
  broker.close();
});

test('a plugin folder that cannot be made is said with its code', async t => {
  const rig = await makeGateway(t, {
    plugins: { dir: '/dev/null/plugins' },
    sources: { line1: modbus(await unusedPort()) },
  });
  await assert.rejects(rig.gateway.start(), { code: 'SLUICE_PLUGIN_FOLDER', message: /\/dev\/null/ });
});
