import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { POISON, Subscriber } from '../../support/devices/gateway-peers.js';
import { variant } from '../../support/gateway/gateway-rig.js';
import { type AdminRig, startAdminRig } from './rig.js';

const limit = { timeout: 120_000 };
const PLUGIN = 'trap-modbus';

/** A gateway whose plugin traps on the third reply of the device and on the fifth. */
async function poisoned(t: TestContext): Promise<AdminRig & { seen: Subscriber }> {
  const rig = await startAdminRig(t, {}, [PLUGIN], PLUGIN, sequence =>
    sequence === 3 || sequence === 5 ? POISON : 0,
  );
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  await rig.reaches(2, 'sluice_frames_quarantined_total', { plugin: PLUGIN });
  return { ...rig, seen };
}

test(
  'a frame that a plugin traps on is kept with its bytes, and with what is known of it',
  limit,
  async t => {
    const rig = await poisoned(t);
    const { status, body } = await rig.ask('GET', '/v1/quarantine');
    assert.deepEqual([status, body.total, body.frames.length], [200, 2, 2]);
    const [frame] = body.frames;
    assert.match(frame.payload, /^[0-9a-f]{4}0000000b010308ee0000000003/);
    assert.equal(frame.topic, 'line1/1/3/0-3');
    const { route, source, plugin, version, stage, code, replays } = frame;
    assert.deepEqual(
      { route, source, plugin, version, stage, code, replays },
      {
        route: 'line1',
        source: 'line1',
        plugin: PLUGIN,
        version: '1.0.0',
        stage: 0,
        code: 'SLUICE_GUEST_TRAP',
        replays: 0,
      },
    );
    assert.match((await rig.get('/metrics')).body, /^sluice_quarantine_frames 2$/m);
    const one = await rig.ask('GET', `/v1/quarantine/${frame.id}`);
    assert.deepEqual(one.body, frame);
  },
);

test(
  'replayed through the version that failed it fails again and stays; through a mended one it is delivered',
  limit,
  async t => {
    const rig = await poisoned(t);
    const { body } = await rig.ask('GET', '/v1/quarantine');
    const [{ id }] = body.frames;
    const again = await rig.ask('POST', `/v1/quarantine/${id}/replay`);
    assert.deepEqual(
      [again.status, again.body.outcome, again.body.code],
      [200, 'refused', 'SLUICE_GUEST_TRAP'],
    );
    assert.equal((await rig.ask('GET', `/v1/quarantine/${id}`)).body.replays, 1);
    assert.equal((await rig.ask('GET', '/v1/quarantine')).body.total, 2, 'it is not taken for another one');
    await rig.put(PLUGIN, await variant('echo', { name: PLUGIN, version: '1.0.1' }));
    const mended = await rig.ask('POST', `/v1/quarantine/${id}/replay`);
    assert.deepEqual([mended.status, mended.body], [200, { id, outcome: 'delivered' }]);
    await rig.seen.until(
      'the frame that was in quarantine',
      () => rig.seen.seen.get('line1/1')?.has(3) === true,
    );
    const gone = await rig.ask('POST', `/v1/quarantine/${id}/replay`);
    assert.deepEqual([gone.status, gone.body.code], [404, 'SLUICE_QUARANTINE_ID']);
  },
);

test('a choice of frames is replayed in one request, each delivered once', limit, async t => {
  const rig = await poisoned(t);
  await rig.put(PLUGIN, await variant('echo', { name: PLUGIN, version: '1.0.1' }));
  const none = await rig.ask('POST', '/v1/quarantine/replay?plugin=other');
  assert.deepEqual(none.body, { delivered: 0, refused: 0, pending: 0 });
  const all = await rig.ask('POST', `/v1/quarantine/replay?plugin=${PLUGIN}`);
  assert.deepEqual([all.status, all.body], [200, { delivered: 2, refused: 0, pending: 0 }]);
  await rig.seen.until('both', () => [3, 5].every(n => rig.seen.seen.get('line1/1')?.get(n) === 1));
  assert.deepEqual(rig.seen.repeated(), []);
  assert.equal(await rig.metric('sluice_quarantine_replayed_total', { outcome: 'delivered' }), 2);
  assert.equal((await rig.ask('GET', '/v1/quarantine')).body.total, 0);
  // The audit names the plugin as every other line does.
  const audit = (await readFile(join(rig.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
  const { action, plugin, frames, result } = JSON.parse(audit.at(-1)!);
  assert.deepEqual(
    { action, plugin, frames, result },
    { action: 'quarantine.replay', plugin: PLUGIN, frames: { plugin: PLUGIN }, result: all.body },
  );
});

test('frames are thrown away one by one or by a filter, never all by mistake', limit, async t => {
  const rig = await poisoned(t);
  const bare = await rig.ask('DELETE', '/v1/quarantine');
  assert.deepEqual([bare.status, bare.body.code], [400, 'SLUICE_ADMIN_REQUEST']);
  const { body } = await rig.ask('GET', '/v1/quarantine?limit=1');
  assert.equal(body.frames.length, 1);
  assert.equal((await rig.ask('DELETE', `/v1/quarantine/${body.frames[0].id}`)).status, 204);
  const rest = await rig.ask('DELETE', '/v1/quarantine?source=line1');
  assert.deepEqual([rest.status, rest.body], [200, { removed: 1 }]);
});

test('a wrong parameter, a wrong id and a missing token are refused by name', limit, async t => {
  const rig = await poisoned(t);
  for (const [path, status, code] of [
    ['/v1/quarantine?plugn=x', 400, 'SLUICE_ADMIN_REQUEST'],
    ['/v1/quarantine?limit=0', 400, 'SLUICE_ADMIN_REQUEST'],
    ['/v1/quarantine?limit=1001', 400, 'SLUICE_ADMIN_REQUEST'],
    ['/v1/quarantine?after=-1', 400, 'SLUICE_ADMIN_REQUEST'],
    ['/v1/quarantine?code=a&code=b', 400, 'SLUICE_ADMIN_REQUEST'],
    ['/v1/quarantine/0', 404, 'SLUICE_QUARANTINE_ID'],
    ['/v1/quarantine/x', 404, 'SLUICE_QUARANTINE_ID'],
    ['/v1/quarantine/4711', 404, 'SLUICE_QUARANTINE_ID'],
  ] as const) {
    const answer = await rig.ask('GET', path);
    assert.deepEqual([path, answer.status, answer.body.code], [path, status, code]);
  }
  assert.equal((await rig.ask('GET', '/v1/quarantine', { token: undefined })).status, 401);
});
