import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { CountingPlc, Waiting } from '../support/devices/gateway-peers.js';
import { type GatewayRig, modbus, startGateway, variant } from '../support/gateway/gateway-rig.js';

test('a counter goes on counting through a new version of its file; a version that cannot read it says so and begins anew', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) } });
  const counts: number[] = [];
  const seen = new Waiting();
  const client = await connectAsync(`mqtt://127.0.0.1:${rig.gateway.brokerPort}`);
  t.after(() => client.endAsync(true));
  client.on('message', (topic, payload) => {
    if (topic.endsWith('flushed')) return;
    counts.push(Number(payload.toString()));
    seen.changed();
  });
  await client.subscribeAsync('#');
  const drop = async (guest: string, version: string): Promise<void> => {
    const file = await variant(guest, { name: 'tally', version, accepts: ['modbus'] });
    await writeFile(join(rig.plugins, '.next'), file);
    await rename(join(rig.plugins, '.next'), join(rig.plugins, 'tally.wasm'));
  };
  await drop('tally', '1.0.0');
  await seen.until('ten messages', () => counts.length >= 10);
  await drop('tally-2', '1.1.0');
  const kept = await rig.book.said(/goes on with the state/);
  assert.equal(
    kept.msg,
    'tally 1.1.0 (generation 2) goes on with the state of generation 1 (8 bytes, version 1 of its form)',
  );
  const before = counts.length;
  await seen.until('ten more', () => counts.length >= before + 10);
  assert.deepEqual(
    counts,
    counts.map((_, index) => index + 1),
  );
  const labels = { plugin: 'tally', version: '1.1.0', from: 'generation-before' };
  assert.equal(await rig.metric('sluice_plugin_states_total', labels), 1);

  await drop('tally', '1.2.0');
  const line = await rig.book.line('SLUICE_STATE_REFUSED');
  assert.match(
    line.msg,
    /^tally refused the state .*; tally 1\.2\.0 \(generation 3\) begins without a state$/,
  );
  assert.equal(await rig.metric('sluice_plugin_states_total', { version: '1.2.0', from: 'nothing' }), 1);
  await seen.until('it counts from one again', () => counts.indexOf(1, 1) > 0);
});

test('a counter goes on counting when the gateway is started again, and the log says from where', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const counts: number[] = [];
  const seen = new Waiting();
  const run = async (at?: string): Promise<GatewayRig> => {
    const route = { from: 'line1', through: ['tally'] };
    const rig = await startGateway(
      t,
      { sources: { line1: modbus(plc.port) }, routes: [route] },
      ['tally'],
      at,
    );
    const client = await connectAsync(`mqtt://127.0.0.1:${rig.gateway.brokerPort}`);
    t.after(() => client.endAsync(true));
    client.on('message', (topic, payload) => {
      if (!topic.endsWith('flushed')) counts.push(Number(payload.toString()));
      seen.changed();
    });
    await client.subscribeAsync('#');
    return rig;
  };
  const first = await run();
  await seen.until('ten messages', () => counts.length >= 10);
  await first.gateway.stop();
  const before = counts.length;
  const second = await run(dirname(first.plugins));
  await seen.until('ten more', () => counts.length >= before + 10);
  const line = await second.book.said(/goes on with the state/);
  assert.equal(
    line.msg,
    'tally 1.0.0 (generation 1) goes on with the state that was kept on the disk (8 bytes, version 1 of its form)',
  );
  assert.equal(await second.metric('sluice_plugin_states_total', { plugin: 'tally', from: 'disk' }), 1);
  // Those that came before somebody listened are counted too.
  assert.ok((counts[before] as number) > (counts[before - 1] as number), `${counts}`);
  assert.equal(counts.filter(count => count === 1).length <= 1, true);
});
