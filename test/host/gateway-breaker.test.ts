import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { CountingPlc, POISON, Subscriber } from '../support/devices/gateway-peers.js';
import { modbus, startGateway, variant } from '../support/gateway/gateway-rig.js';
import { send } from '../support/sources/http-rig.js';
import { startAdminRig } from './admin/rig.js';

const INGEST = 'k3J9_xQ7mB2vN8pR';
/** Tried again seldom enough for a test to look at it. */
const PAUSE = { pause: { min: '20s' } };

async function replace(folder: string, guest: string, version: string): Promise<void> {
  await writeFile(
    join(folder, '.next'),
    await variant(guest, { name: 'modbus-json', version, accepts: ['modbus'] }),
  );
  await rename(join(folder, '.next'), join(folder, 'modbus-json.wasm'));
}

test('a plugin that fails five times in a row is not called any more: one log line, metrics, status and API say so', async t => {
  const rig = await startAdminRig(t, {}, []);
  rig.plc.mark = () => POISON;
  await replace(rig.plugins, 'trap-modbus', '2.0.0');
  const line = await rig.book.line('SLUICE_BREAKER_OPEN', { opening: '1' });
  assert.deepEqual([line.level, line.plugin, line.route], ['error', 'modbus-json', 'line1']);
  assert.match(
    line.msg,
    /^modbus-json 2\.0\.0 is not called any more: 5 faults in a row, the last: .*unreachable.*\(SLUICE_GUEST_TRAP\); its frames go to the disk, and through it in their order when it serves again; the next try is in 1\.\d s$/,
  );
  assert.match(String(line.remedy), /reset/);
  const labels = { plugin: 'modbus-json', route: 'line1' };
  assert.ok((await rig.metric('sluice_breaker_state', labels)) > 0);
  assert.equal(await rig.metric('sluice_breaker_openings_total', labels), 1);
  assert.match(
    (await rig.degraded('SLUICE_BREAKER_OPEN')).join(),
    /^route line1: the circuit breaker of modbus-json is .*: 5 faults in a row \(SLUICE_GUEST_TRAP\)(; its frames wait on the disk)?$/,
  );
  const { body } = await rig.ask('GET', '/v1/plugins/modbus-json');
  assert.notEqual(body.breaker.state, 'closed');
  assert.deepEqual(
    [body.breaker.route, body.breaker.reason, body.breaker.fault.code, body.breaker.openings],
    ['line1', '5 faults in a row', 'SLUICE_GUEST_TRAP', 1],
  );
  // A corrected file closes it at once, and what waited goes through it.
  rig.plc.mark = () => 0;
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await replace(rig.plugins, 'echo', '2.0.1');
  await seen.atLeast(20);
  assert.deepEqual([seen.gaps(), seen.repeated()], [[], []]);
  assert.equal(await rig.metric('sluice_breaker_state', labels), 0);
  assert.equal((await rig.ready()).ready, true);
});

test('POST reset closes a breaker that is open', async t => {
  const rig = await startAdminRig(t, {}, []);
  const from = rig.plc.replies;
  rig.plc.mark = sequence => (sequence <= from + 5 ? POISON : 0);
  await replace(rig.plugins, 'trap-modbus', '2.0.0');
  await rig.book.line('SLUICE_BREAKER_OPEN');
  const { status, body } = await rig.ask('POST', '/v1/plugins/modbus-json/reset');
  assert.deepEqual([status, body.breaker.state, body.state], [200, 'closed', 'serving']);
});

test('a plugin that fails after an upgrade leaves its frames to the version before, and ready stays true', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  const rig = await startGateway(
    t,
    {
      plugins: { breaker: PAUSE, probation: { frames: 0, for: '0s' } },
      sources: { line1: modbus(plc.port) },
      routes: [{ from: 'line1', through: ['modbus-json'] }],
    },
    ['modbus-json'],
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await replace(rig.plugins, 'trap-modbus', '2.0.0');
  await rig.book.said(/modbus-json\.wasm serves \(generation 2/);
  await seen.atLeast(seen.messages + 10);
  plc.mark = () => POISON;
  const line = await rig.book.line('SLUICE_BREAKER_OPEN');
  assert.match(line.msg, /the version before serves its frames/);
  await rig.book.said(/^modbus-json 0\.1\.0 \(generation 1\) serves in its stead$/);
  await seen.atLeast(seen.messages + 20);
  assert.equal((await rig.ready()).ready, true);
  const refused = await rig.metric('sluice_frames_refused_total', { code: 'SLUICE_GUEST_TRAP' });
  assert.equal(refused, 5);
  assert.equal(seen.gaps().length, 5);
  assert.deepEqual(seen.repeated(), []);
});

test('a version that fails among its first frames is taken back by itself, and not a frame is lost', async t => {
  const rig = await startAdminRig(t);
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await seen.atLeast(5);
  await replace(rig.plugins, 'trap-modbus', '2.0.0');
  await rig.book.said(/modbus-json\.wasm serves \(generation 2/);
  await seen.atLeast(seen.messages + 5);
  rig.plc.mark = () => POISON;
  const line = await rig.book.line('SLUICE_PLUGIN_ROLLED_BACK');
  assert.match(
    line.msg,
    /^modbus-json 2\.0\.0 is taken back after \d+ frames?: .*unreachable \(SLUICE_GUEST_TRAP\); modbus-json 0\.1\.0 serves again, from the frames on that it failed on$/,
  );
  await seen.atLeast(seen.messages + 20);
  assert.deepEqual([seen.gaps(), seen.repeated()], [[], []]);
  const { body } = await rig.ask('GET', '/v1/plugins/modbus-json');
  assert.deepEqual(
    [body.state, body.version, body.generation, body.refused.version, body.refused.code, body.breaker.state],
    ['serving', '0.1.0', 1, '2.0.0', 'SLUICE_GUEST_TRAP', 'closed'],
  );
  assert.equal(
    await rig.metric('sluice_plugin_rollbacks_total', { plugin: 'modbus-json', version: '2.0.0' }),
    1,
  );
  assert.equal((await rig.ready()).ready, true);
  // The operator's word: it is tried once more, and taken back once more.
  const { status } = await rig.ask('POST', '/v1/plugins/modbus-json/reset');
  assert.equal(status, 422);
});

test('`whenOpen: refuse` of a route refuses its frames with a counter, and the source goes on', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  plc.mark = () => POISON;
  const rig = await startGateway(
    t,
    {
      plugins: { breaker: PAUSE },
      sources: { line1: modbus(plc.port) },
      routes: [{ from: 'line1', through: ['trap-modbus'], whenOpen: 'refuse' }],
    },
    ['trap-modbus'],
  );
  const labels = { source: 'line1', code: 'SLUICE_BREAKER_OPEN' };
  await rig.reaches(20, 'sluice_frames_refused_total', labels);
  const skipped = await rig.metric('sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_BACKPRESSURE' });
  await rig.reaches(100, 'sluice_frames_refused_total', labels);
  assert.equal(
    await rig.metric('sluice_polls_skipped_total', { code: 'SLUICE_SOURCE_BACKPRESSURE' }),
    skipped,
  );
  assert.equal(await rig.metric('sluice_frames_refused_total', { code: 'SLUICE_GUEST_TRAP' }), 5);
  assert.equal(await rig.metric('sluice_plugin_faults_total', { code: 'SLUICE_BREAKER_OPEN' }), 0);
  assert.equal(rig.book.of('SLUICE_BREAKER_OPEN').length, 1);
  // Acknowledged to the device's side all the same: refused frames hold nothing up.
  await rig.reaches(50, 'sluice_delivered_total', { source: 'line1' });
});

test('a route whose breaker is open leaves the other route of the same device alone', async t => {
  const plc = await CountingPlc.start();
  t.after(() => plc.stop());
  plc.mark = () => POISON;
  const rig = await startGateway(
    t,
    {
      plugins: { breaker: PAUSE },
      sources: { line1: modbus(plc.port) },
      routes: [
        { name: 'bad', from: 'line1', through: ['trap-modbus'] },
        { name: 'good', from: 'line1', through: ['modbus-json'] },
      ],
    },
    ['trap-modbus', 'modbus-json'],
  );
  await rig.book.line('SLUICE_BREAKER_OPEN', { route: 'bad' });
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  // More than the ring of the route that waits can hold.
  await seen.atLeast(400);
  assert.deepEqual([seen.gaps(), seen.repeated()], [[], []]);
});

test('`whenOpen: refuse` loses nothing that came once: who waits for an answer is told, the rest is in quarantine and goes through the next version', async t => {
  const rig = await startAdminRig(t, {}, ['trap'], 'trap', () => 0, {
    plugins: { breaker: { ...PAUSE, faults: 1 } },
    sources: { hooks: { http: { token: INGEST } } },
    routes: [{ from: 'hooks', through: ['trap'], whenOpen: 'refuse' }],
  });
  const post = async (body: Uint8Array, prefer = 'wait=5'): Promise<[number, string]> => {
    const headers = { authorization: `Bearer ${INGEST}`, 'content-length': `${body.length}`, prefer };
    const asked = { path: '/ingest/hooks', method: 'POST', headers };
    const { status, body: text } = await send(rig.gateway.adminPort as number, asked, body);
    return [status, /SLUICE_\w+/.exec(text)?.[0] ?? ''];
  };
  // It is safe: in quarantine.
  assert.deepEqual(await post(Buffer.from([0xee])), [202, '']);
  await rig.book.line('SLUICE_BREAKER_OPEN');
  assert.deepEqual(await post(Buffer.from('told')), [503, 'SLUICE_BREAKER_OPEN']);
  assert.deepEqual(await post(Buffer.from('kept'), 'respond-async'), [202, '']);
  const labels = { source: 'hooks', code: 'SLUICE_BREAKER_OPEN' };
  await rig.reaches(1, 'sluice_frames_quarantined_total', labels);
  assert.equal(await rig.metric('sluice_frames_refused_total', labels), 2);
  assert.equal(await rig.metric('sluice_polls_skipped_total', labels), 1);
  assert.equal((await rig.ask('POST', '/v1/plugins/trap/reset')).status, 200);
  const { body } = await rig.ask('POST', '/v1/quarantine/replay?code=SLUICE_BREAKER_OPEN');
  assert.deepEqual(body, { delivered: 1, refused: 0, pending: 0 });
});
