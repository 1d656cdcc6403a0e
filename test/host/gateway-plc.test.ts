import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountingPlc, Subscriber } from '../support/devices/gateway-peers.js';
import { unusedPort } from '../support/devices/plc.js';
import { modbus, startGateway } from '../support/gateway/gateway-rig.js';

const ROUTES = [{ from: 'line1', through: ['modbus-json'] }];

test('a PLC that is away at the start and comes later is polled then', async t => {
  const port = await unusedPort();
  const rig = await startGateway(t, { sources: { line1: modbus(port) }, routes: ROUTES }, ['modbus-json']);
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  const line = await rig.book.line('SLUICE_SOURCE_DISCONNECTED', { source: 'line1' });
  assert.match(line.msg, new RegExp(`line1: 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED.*next try in \\d+ ms`));
  assert.equal((await rig.ready()).ready, true, 'a device away is no reason');
  const plc = await CountingPlc.start(port);
  t.after(() => plc.stop());
  await seen.atLeast(20);
  assert.deepEqual([seen.missing(), seen.repeated()], [[], []]);
});

test('a PLC that closes connections in the middle is polled again, and what it said arrives once', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(t, { sources: { line1: modbus(plc.port) }, routes: ROUTES }, [
    'modbus-json',
  ]);
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  for (let cut = 0; cut < 3; cut++) {
    await seen.atLeast(seen.messages + 10);
    plc.cut();
  }
  await seen.atLeast(seen.messages + 10);
  // A reply that was on its way when the device cut the line is gone with it; no other is.
  assert.ok(seen.gaps().length <= 3, `${seen.gaps()}`);
  assert.deepEqual(seen.repeated(), []);
  assert.ok((await rig.metric('sluice_source_failures_total', { source: 'line1' })) > 0);
});

test('a route with two sources keeps the order of each, and a message says which one it is from', async t => {
  const [one, two] = [await CountingPlc.start(), await CountingPlc.start()];
  t.after(() => Promise.all([one.stop(), two.stop()]));
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(one.port), line2: modbus(two.port, { every: '2ms' }) },
      routes: [{ from: ['line1', 'line2'], through: ['modbus-json'] }],
    },
    ['modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await seen.until('both', () => seen.highest('line1/1') >= 50 && seen.highest('line2/1') >= 100);
  for (const unit of ['line1/1', 'line2/1']) {
    const order = [...(seen.seen.get(unit)?.keys() ?? [])];
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.deepEqual([seen.gaps(unit), seen.repeated(unit)], [[], []]);
  }
  await rig.gateway.stop();
  for (const source of ['line1', 'line2']) {
    const frames = await rig.metric('sluice_frames_total', { source });
    assert.equal(await rig.metric('sluice_delivered_total', { source }), frames, source);
  }
});

test('a route whose plugin is missing takes nothing away from the other route of a polled source', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port) },
      routes: [
        { name: 'json', from: 'line1', through: ['modbus-json'] },
        { name: 'raw', from: 'line1', through: ['echo'] },
      ],
    },
    ['modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await rig.reaches(50, 'sluice_parked_frames', { route: 'raw' });
  assert.deepEqual(await rig.degraded('SLUICE_PLUGIN_UNKNOWN'), [
    'route raw waits for the plugin echo; its frames wait on the disk',
  ]);
  const before = seen.highest();
  await seen.until('what comes behind', () => seen.highest() >= before + 100);
  assert.deepEqual(seen.missing(), []);
  // What waited on the disk goes through once its plugin is there.
  await rig.drop('echo');
  await rig.reaches(50, 'sluice_parked_returned_total', { route: 'raw' });
  // The disk may be slow for a moment; that is no reason to leave out what comes before and after.
  const leftOut = await rig.metric('sluice_polls_skipped_total', { code: 'SLUICE_ROUTE_FULL' });
  assert.ok(leftOut < 50, `${leftOut} were left out`);
});
