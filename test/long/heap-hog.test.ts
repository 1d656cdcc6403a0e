import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountingPlc, POISON, Subscriber } from '../support/gateway-peers.js';
import { modbus, startGateway } from '../support/gateway-rig.js';

test('a component that takes the heap of its thread loses that frame, and another route goes on', async t => {
  const [bad, good] = [await CountingPlc.start(), await CountingPlc.start()];
  t.after(() => Promise.all([bad.stop(), good.stop()]));
  bad.mark = sequence => (sequence === 5 ? POISON : 0);
  const rig = await startGateway(
    t,
    {
      plugins: { deadline: '20s', startDeadline: '20s' },
      sources: { line1: modbus(bad.port), line2: modbus(good.port) },
      routes: [
        { from: 'line1', through: ['heap-hog'] },
        { from: 'line2', through: ['modbus-json'] },
      ],
    },
    ['heap-hog', 'modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  const line = await rig.book.line('SLUICE_GUEST_HEAP', { source: 'line1' });
  assert.equal(line.plugin, 'heap-hog');
  await seen.until('line1 goes on', () => seen.highest('line1/1') > 20);
  assert.deepEqual(seen.gaps('line1/1'), [5]);
  assert.deepEqual(seen.gaps('line2/1'), []);
  const labels = { plugin: 'heap-hog', code: 'SLUICE_GUEST_HEAP' };
  assert.equal(await rig.metric('sluice_plugin_faults_total', labels), 1);
});
