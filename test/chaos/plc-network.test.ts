import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subscriber } from '../support/devices/gateway-peers.js';
import { cannotMakeNetworks, FarNetwork, ProxyCable } from '../support/devices/network.js';
import { startGateway } from '../support/gateway/gateway-rig.js';

test('the network of a PLC is cut without a word and restored: it is told of, the gateway stays ready, and polls go on by themselves', async t => {
  // Who is not root has a proxy of ours between.
  const network = cannotMakeNetworks() === false ? new FarNetwork() : new ProxyCable();
  t.after(() => network.remove());
  const port = await network.run(new URL('../support/devices/plc-process.js', import.meta.url), /port (\d+)/);
  const modbus = {
    devices: [{ host: network.host, port, units: 1 }],
    poll: [{ holding: '0-3', every: '5ms' }],
    timeout: '100ms',
    reconnect: { min: '20ms', max: '50ms' },
  };
  const config = { sources: { line1: { modbus } }, routes: [{ from: 'line1', through: ['modbus-json'] }] };
  const rig = await startGateway(t, config, ['modbus-json']);
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await seen.atLeast(20);
  network.pull();
  await rig.reaches(1, 'sluice_source_failures_total', { source: 'line1' });
  assert.equal((await rig.ready()).ready, true, 'a device away is no reason');
  network.plug();
  await rig.book.line('SLUICE_SOURCE_TIMEOUT', { source: 'line1' });
  await seen.atLeast(seen.messages + 20);
  // What was answered into the dead cable is gone with it; nothing comes twice.
  assert.ok(seen.gaps().length <= 8, `${seen.gaps()}`);
  assert.deepEqual(seen.repeated(), []);
});
