import assert from 'node:assert/strict';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountingPlc, POISON, RestartableBroker } from '../support/devices/gateway-peers.js';
import { GatewayProcess } from '../support/gateway/gateway-process.js';
import { guestFile, modbus, mqtt, tempFolder } from '../support/gateway/gateway-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

const UNITS = [1, 2, 3, 4, 5, 6, 7, 8];
/** Kubernetes gives 30 s by default; we promise a third of it. */
const MOST_MS = 10_000;

interface Site {
  readonly plc: CountingPlc;
  readonly broker: RestartableBroker;
  readonly gateway: GatewayProcess;
  readonly plugins: string;
}

async function siteOf(t: TestContext, guest: string, plugins: Record<string, unknown> = {}): Promise<Site> {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const broker = await new RestartableBroker().start();
  t.after(() => broker.stop());
  const folder = await tempFolder(t);
  const gateway = await GatewayProcess.prepare(
    folder,
    {
      plugins: { dir: './plugins', signatures: 'off', ...plugins },
      sources: { line1: modbus(plc.port, { every: '1ms', units: '1-8' }) },
      sinks: { plant: mqtt(broker.port) },
      routes: [{ from: 'line1', through: [guest], to: 'plant' }],
    },
    guest,
  );
  t.after(() => gateway.kill());
  await gateway.start();
  return { plc, broker, gateway, plugins: join(folder, 'plugins') };
}

async function readyOf({ log }: GatewayProcess): Promise<number> {
  const [, url] = /"admin":"(http:[^"]+)"/.exec(log) ?? [];
  return fetch(`${url}/readyz`).then(
    ({ status }) => status,
    () => 0,
  );
}

/** SIGTERM. @returns exit code or signal, and what /readyz said meanwhile */
async function stopped(
  gateway: GatewayProcess,
): Promise<{ exit: number | string; ms: number; ready: number[] }> {
  const ready = [await readyOf(gateway)];
  const began = performance.now();
  let running = true;
  const exit = gateway.stop().finally(() => {
    running = false;
  });
  while (running) {
    const status = await readyOf(gateway);
    if (status !== 0 && status !== ready.at(-1)) ready.push(status);
  }
  return { exit: await exit, ms: performance.now() - began, ready };
}

function nothingIsMissing(broker: RestartableBroker): void {
  for (const unit of UNITS)
    assert.deepEqual([broker.missing(`line1/${unit}`), broker.repeated(`line1/${unit}`)], [[], []]);
}

test('SIGTERM while the broker is away: not ready first, all that waits is on the disk, exit 0, and it goes out at the next start', async t => {
  const { broker, gateway } = await siteOf(t, 'modbus-json');
  await broker.atLeast(200);
  await broker.stop();
  await gateway.spools(300);
  const { exit, ms, ready } = await stopped(gateway);
  assert.equal(exit, 0);
  assert.ok(ms < MOST_MS, `${ms} ms`);
  assert.deepEqual(ready, [200, 503]);
  const left = gateway.spooled;
  assert.ok(left >= 300, `${left}`);
  await broker.start();
  await gateway.start();
  await broker.atLeast(broker.messages + left);
  // What was asked for when the connection was closed was answered to nobody: 4 are in flight.
  const missing = UNITS.flatMap(unit => broker.missing(`line1/${unit}`));
  assert.ok(missing.length <= 4, missing.join());
});

test('SIGTERM in mid-swap: exit 0 in time, and every reply that was taken is at the broker, once', async t => {
  const { broker, gateway, plugins } = await siteOf(t, 'modbus-json');
  for (let round = 0; round < 5; round++) {
    await broker.atLeast(broker.messages + 200);
    await copyFile(guestFile('modbus-json'), join(plugins, '.next'));
    await rename(join(plugins, '.next'), join(plugins, 'modbus-json.wasm'));
    if (round < 4) await new Promise(setImmediate);
  }
  const { exit, ms } = await stopped(gateway);
  assert.equal(exit, 0);
  assert.ok(ms < MOST_MS, `${ms} ms`);
  nothingIsMissing(broker);
});

test('SIGTERM while a plugin hangs: not ready meanwhile, exit 0 in time', async t => {
  const { plc, broker, gateway } = await siteOf(t, 'spin-modbus', { deadline: '60s', startDeadline: '60s' });
  await broker.atLeast(100);
  plc.mark = () => POISON;
  const before = broker.messages;
  await plc.until('a poisoned reply', () => plc.replies > before + 100);
  const { exit, ms, ready } = await stopped(gateway);
  assert.equal(exit, 0);
  assert.ok(ms < MOST_MS, `${ms} ms`);
  assert.equal(ready.at(-1), 503);
});

test('SIGTERM while the broker takes messages and confirms none: exit 0 in time, and what it has not confirmed is on the disk', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const server = await TestServer.start();
  t.after(() => server.stop());
  server.behaviour.puback = () => 'none';
  const config = {
    plugins: { dir: './plugins', signatures: 'off' },
    sources: { line1: modbus(plc.port) },
    sinks: { plant: mqtt(server.port) },
    routes: [{ from: 'line1', through: ['modbus-json'], to: 'plant' }],
  };
  const gateway = await GatewayProcess.prepare(await tempFolder(t), config, 'modbus-json');
  t.after(() => gateway.kill());
  await gateway.start();
  await server.until(() => server.published.length >= 100);
  const { exit, ms, ready } = await stopped(gateway);
  assert.equal(exit, 0);
  assert.ok(ms < MOST_MS, `${ms} ms`);
  assert.equal(ready.at(-1), 503);
  assert.ok(gateway.spooled >= 100, `${gateway.spooled}`);
});
