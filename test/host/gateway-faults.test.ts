import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { CountingPlc, POISON, Subscriber } from '../support/devices/gateway-peers.js';
import { exceptionTo, RawDevice } from '../support/devices/plc.js';
import { modbus, startGateway, variant } from '../support/gateway/gateway-rig.js';

/** Every seventh reply is poisoned. */
const SEVENTH = (sequence: number): number => (sequence % 7 === 0 ? POISON : 0);

/** Waits until at least this many sequences are accounted for, and gives those that never came. */
async function lostUpTo(seen: Subscriber, highest: number): Promise<number[]> {
  await seen.until(`sequence ${highest}`, () => seen.highest() >= highest);
  return seen.gaps().filter(sequence => sequence < highest);
}

test('a plugin that traps on some frames loses only those, and each is counted and told with its bytes', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  plc.mark = SEVENTH;
  const rig = await startGateway(
    t,
    {
      sources: { line1: modbus(plc.port, { every: '2ms' }) },
      routes: [{ from: 'line1', through: ['trap-modbus'] }],
    },
    ['trap-modbus'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  const lost = await lostUpTo(seen, 200);
  assert.deepEqual(
    lost.filter(sequence => sequence % 7 !== 0),
    [],
  );
  assert.deepEqual(seen.repeated(), []);
  assert.equal([...(seen.seen.get('line1/1')?.keys() ?? [])].filter(n => n % 7 === 0).length, 0);
  const labels = { plugin: 'trap-modbus', code: 'SLUICE_GUEST_TRAP' };
  const refused = await rig.metric('sluice_frames_refused_total', { source: 'line1', ...labels });
  assert.ok(refused >= 28, `${refused}`);
  const faults = await rig.metric('sluice_plugin_faults_total', { version: '1.0.0', ...labels });
  assert.equal(faults, refused);
  const line = await rig.book.line('SLUICE_GUEST_TRAP', { source: 'line1' });
  assert.equal(line.plugin, 'trap-modbus');
  assert.equal(line.route, 'line1');
  assert.match(String(line.payload), /^[0-9a-f]{4}0000000b010308ee00/);
  assert.ok(String(line.remedy).length > 20);
  // Rate-limited: one line now, the others are held and told with their number.
  assert.equal(rig.book.of('SLUICE_GUEST_TRAP', { source: 'line1' }).length, 1);
});

test('a guest that spins is killed, its frame refused, and another route goes on meanwhile', async t => {
  const [bad, good] = [await CountingPlc.start(), await CountingPlc.start()];
  t.after(() => Promise.all([bad.stop(), good.stop()]));
  bad.mark = sequence => (sequence === 5 ? POISON : 0);
  const rig = await startGateway(
    t,
    {
      plugins: { deadline: '1s', startDeadline: '1s' },
      sources: { line1: modbus(bad.port), line2: modbus(good.port) },
      routes: [
        { from: 'line1', through: ['spin-modbus'] },
        { from: 'line2', through: ['modbus-json'] },
      ],
    },
    ['spin-modbus', 'modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  const spun = bad.until('the poison', () => bad.replies >= 5).then(() => seen.highest('line2/1'));
  const at = await spun;
  const killed = rig.book.said(/was killed: a call took longer than/);
  // While the first route's guest spins (1 s), the other's messages arrive: ten take 50 ms.
  await seen.until('messages of the other route', () => seen.highest('line2/1') >= at + 10);
  assert.equal(rig.book.of('SLUICE_GUEST_DEADLINE').length, 0, 'the guest spins still');
  const { plugin } = await killed;
  assert.equal(plugin, 'spin-modbus');
  const line = await rig.book.line('SLUICE_GUEST_DEADLINE', { source: 'line1' });
  assert.match(String(line.payload), /ee00/);
  await seen.until('frames behind the poison', () => seen.highest('line1/1') >= 20);
  assert.deepEqual(
    seen.gaps('line1/1').filter(sequence => sequence !== 5),
    [],
  );
  assert.deepEqual([seen.gaps('line2/1'), seen.repeated('line2/1'), seen.repeated('line1/1')], [[], [], []]);
  assert.equal(
    await rig.metric('sluice_frames_refused_total', { source: 'line1', code: 'SLUICE_GUEST_DEADLINE' }),
    1,
  );
  assert.equal((await rig.ready()).ready, true);
});

test('what a plugin cannot convert is counted and told, and is no fault of the plugin', async t => {
  const device = new RawDevice((request, socket) => socket.write(exceptionTo(request, 2)));
  const port = await device.start();
  t.after(() => device.stop());
  const rig = await startGateway(
    t,
    { sources: { line1: modbus(port) }, routes: [{ from: 'line1', through: ['modbus-json'] }] },
    ['modbus-json'],
  );
  const line = await rig.book.line('SLUICE_CONVERT_DEVICE');
  assert.deepEqual([line.level, line.plugin, line.source], ['warn', 'modbus-json', 'line1']);
  assert.match(line.msg, /illegal data address/);
  const labels = { plugin: 'modbus-json', code: 'SLUICE_CONVERT_DEVICE' };
  assert.ok((await rig.metric('sluice_frames_refused_total', labels)) > 0);
  assert.equal(await rig.metric('sluice_plugin_faults_total', labels), 0);
});

test('a plugin that no route names and that cannot start does not hold up the routes that run', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      plugins: { startDeadline: '300ms' },
      sources: { line1: modbus(plc.port) },
      routes: [{ from: 'line1', through: ['modbus-json'] }],
    },
    ['modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await writeFile(`${rig.plugins}/.next`, await variant('spin-at-configure', { accepts: ['modbus'] }));
  await rename(`${rig.plugins}/.next`, `${rig.plugins}/own.wasm`);
  const line = await rig.book.line('SLUICE_GUEST_DEADLINE');
  assert.match(line.msg, /^own\.wasm is refused: /);
  // More than the ring of a route that does not run could hold.
  await seen.atLeast(seen.messages + 300);
  assert.equal(await rig.metric('sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_BACKPRESSURE' }), 0);
  assert.deepEqual([seen.gaps(), seen.repeated()], [[], []]);
  assert.equal((await rig.ready()).ready, true);
});
