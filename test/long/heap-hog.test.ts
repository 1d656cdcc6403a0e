import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountingPlc, POISON, Subscriber } from '../support/devices/gateway-peers.js';
import { modbus, startGateway } from '../support/gateway/gateway-rig.js';

/** Around the time in which the heap is full: V8 collects for long, and a thread that is to end ends behind that. */
const KILLED_AFTER = ['700ms', '850ms', '1000ms', '1150ms'];
const POISONED = [5, 8, 11, 14];

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

test('a thread whose heap runs out while it is being killed takes nothing with it', async t => {
  for (const deadline of KILLED_AFTER) {
    const plc = await CountingPlc.start();
    t.after(() => plc.stop());
    plc.mark = sequence => (POISONED.includes(sequence) ? POISON : 0);
    const rig = await startGateway(
      t,
      {
        plugins: { deadline, startDeadline: '20s' },
        sources: { line1: modbus(plc.port) },
        routes: [{ from: 'line1', through: ['heap-hog'] }],
      },
      ['heap-hog'],
    );
    const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
    t.after(() => seen.close());
    await seen.until('line1 goes on behind the last of them', () => seen.highest('line1/1') > 20);
    assert.deepEqual(seen.gaps('line1/1'), POISONED);
    await rig.gateway.stop();
  }
});
