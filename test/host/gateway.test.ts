import assert from 'node:assert/strict';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountingPlc, Subscriber } from '../support/devices/gateway-peers.js';
import { startPlc } from '../support/devices/plc.js';
import { guestFile, makeGateway, modbus, startGateway, variant } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';

const ROUTE = { from: 'line1', through: ['modbus-json'] };

async function plcOf(t: TestContext) {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  return plc;
}

async function subscriber(t: TestContext, port: number | undefined): Promise<Subscriber> {
  const client = await Subscriber.connect(port as number);
  t.after(() => client.close());
  return client;
}

test('a reply of a PLC crosses a plugin of the folder and arrives as an MQTT message', async t => {
  const plc = await startPlc({ getHoldingRegister: (address: number) => 100 + address });
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) }, routes: [ROUTE] }, [
    'modbus-json',
  ]);
  const seen = await subscriber(t, rig.gateway.brokerPort);
  await seen.atLeast(3);
  assert.deepEqual([...seen.topics.keys()], ['line1/1/3/0-3']);
  assert.equal(seen.last, '{"unit":1,"function":3,"first":0,"values":[100,101,102,103]}');
});

test('a file that is renamed into the folder after the start serves, and the first polls are not lost', async t => {
  const plc = await plcOf(t);
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) }, routes: [ROUTE] });
  const seen = await subscriber(t, rig.gateway.brokerPort);
  const missing = rig.book.of('SLUICE_PLUGIN_UNKNOWN', { route: 'line1' });
  assert.match(missing[0]?.msg ?? '', /the route line1 waits for the plugin modbus-json/);
  await copyFile(guestFile('modbus-json'), join(rig.plugins, '.modbus-json.wasm.tmp'));
  await rename(join(rig.plugins, '.modbus-json.wasm.tmp'), join(rig.plugins, 'modbus-json.wasm'));
  await rig.book.said(/modbus-json\.wasm serves \(generation 1/);
  await seen.atLeast(50);
  assert.deepEqual([seen.missing(), seen.repeated()], [[], []]);
});

test('without sinks the embedded broker is there, and what runs is said with its address', async t => {
  const plc = await plcOf(t);
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) } }, ['modbus-json']);
  const line = await rig.book.said(/^sluice runs$/);
  assert.equal(line.broker, `mqtt://127.0.0.1:${rig.gateway.brokerPort}`);
  await (await subscriber(t, rig.gateway.brokerPort)).atLeast(3);
});

test('the embedded broker is where the configuration says', async t => {
  const plc = await plcOf(t);
  const port = await freePort();
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(plc.port) }, broker: { host: '127.0.0.1', port } },
    ['modbus-json'],
  );
  assert.equal(rig.gateway.brokerPort, port);
  await (await subscriber(t, port)).atLeast(3);
  const second = await makeGateway(t, { sources: { line1: modbus(plc.port) }, broker: { port } });
  await assert.rejects(second.gateway.start(), {
    code: 'SLUICE_LISTEN_IN_USE',
    message: new RegExp(
      `embedded MQTT broker has to listen on 127\\.0\\.0\\.1:${port}, .* broker: { port: ${port + 1} }$`,
    ),
  });
});

test('replacing the file under load loses no frame and repeats none, ten times', async t => {
  const plc = await plcOf(t);
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(plc.port, { every: '1ms', units: '1-4' }) }, routes: [ROUTE] },
    ['modbus-json'],
  );
  const seen = await subscriber(t, rig.gateway.brokerPort);
  const before = seen.messages;
  for (let generation = 2; generation <= 11; generation++) {
    await seen.atLeast(seen.messages + 20);
    await copyFile(guestFile('modbus-json'), join(rig.plugins, '.next'));
    await rename(join(rig.plugins, '.next'), join(rig.plugins, 'modbus-json.wasm'));
    await rig.book.said(new RegExp(`serves \\(generation ${generation},`));
  }
  await seen.atLeast(seen.messages + 20);
  assert.ok(seen.messages - before > 200);
  await rig.gateway.stop();
  for (const unit of [1, 2, 3, 4]) {
    // The subscriber may have come behind the first messages.
    const topic = `line1/${unit}`;
    assert.deepEqual([seen.gaps(topic), seen.repeated(topic)], [[], []], topic);
  }
  assert.equal(await rig.metric('sluice_plugin_swaps_total', { plugin: 'modbus-json' }), 10);
});

test('a bad candidate leaves the old version serving, and the log says so', async t => {
  const plc = await plcOf(t);
  const rig = await startGateway(
    t,
    { plugins: { startDeadline: '300ms' }, sources: { line1: modbus(plc.port) }, routes: [ROUTE] },
    ['modbus-json'],
  );
  const seen = await subscriber(t, rig.gateway.brokerPort);
  for (const [guest, code] of [
    ['bad-import', 'SLUICE_MODULE_IMPORT'],
    ['spin-at-configure', 'SLUICE_GUEST_DEADLINE'],
  ] as const) {
    await writeFile(join(rig.plugins, '.next'), await variant(guest, { name: 'modbus-json' }));
    await rename(join(rig.plugins, '.next'), join(rig.plugins, 'modbus-json.wasm'));
    const line = await rig.book.line(code);
    assert.match(line.msg, /^modbus-json\.wasm is refused: .*; the version before it serves on$/);
    assert.equal(line.level, 'error');
    await seen.atLeast(seen.messages + 10);
  }
  assert.deepEqual([seen.gaps(), seen.repeated()], [[], []]);
  assert.equal((await rig.ready()).ready, true);
});
