import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CountingPlc, Subscriber } from '../support/devices/gateway-peers.js';
import { modbus, variant } from '../support/gateway/gateway-rig.js';
import { type AdminRig, startAdminRig } from './admin/rig.js';

const limit = { timeout: 120_000 };

/** Two devices: one through a plugin with float SIMD, one through modbus-json; all of it to one subscriber. */
async function startTwo(
  t: TestContext,
  plugins: Record<string, unknown>,
  files: Record<string, string> = {},
) {
  const other = await CountingPlc.start();
  t.after(() => other.stop());
  const at = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(at, name), text);
  const rig = await startAdminRig(t, {}, ['vector', 'modbus-json'], '', () => 0, {
    at,
    plugins,
    sources: { line2: modbus(other.port) },
    routes: [
      { name: 'simd', from: 'line1', through: ['vector'] },
      { name: 'plain', from: 'line2', through: ['modbus-json'] },
    ],
  });
  const seen = await Subscriber.connect(rig.gateway.brokerPort as number);
  t.after(() => seen.close());
  return { rig, seen };
}

async function stateOf(rig: AdminRig, plugin: string) {
  const { body } = await rig.ask('GET', `/v1/plugins/${plugin}`);
  return body;
}

async function put(rig: AdminRig, policy: unknown) {
  return rig.ask('PUT', '/v1/policy', {
    body: Buffer.from(JSON.stringify(policy)),
    headers: { 'content-type': 'application/json' },
  });
}

test(
  'a policy that changes while frames flow stops what it forbids, and nothing else; changed back, all goes on without a loss',
  limit,
  async t => {
    const { rig, seen } = await startTwo(
      t,
      { policy: './policy.yaml' },
      { 'policy.yaml': 'simd: baseline\n' },
    );
    await seen.until('both routes', () => seen.highest('line1/1') > 20 && seen.highest('line2/1') > 20);

    const answer = await put(rig, { simd: 'integer' });
    assert.deepEqual([answer.status, answer.body.version, answer.body.policy.simd], [200, 2, 'integer']);
    const stopped = await stateOf(rig, 'vector');
    assert.equal(stopped.state, 'refused');
    assert.equal(stopped.refused.code, 'SLUICE_MODULE_OPCODE');
    assert.match(
      stopped.refused.message,
      /vector: f32x4\.\w+ at byte \d+ in function \d+.* \(and 1 more\): policy 2 allows simd: integer; build without float SIMD, or allow it in grants\.vector\.simd in .*policy\.yaml/,
    );
    assert.deepEqual(stopped.refused.findings.map(({ opcode }: { opcode: string }) => opcode).toSorted(), [
      'f32x4.add',
      'f32x4.mul',
    ]);
    for (const { offset, function: index, policy } of stopped.refused.findings)
      assert.ok(offset > 0 && index > 0 && policy === 2);
    const line = await rig.book.line('SLUICE_MODULE_OPCODE', { route: 'simd', plugin: 'vector' });
    assert.match(line.msg, /frames of its route wait$/);
    assert.match(
      (await rig.degraded('SLUICE_ROUTE_UNSERVED')).join(),
      /^route simd: its plugins are refused/,
    );

    // The other route has not noticed.
    const highest = seen.highest('line2/1');
    await seen.until('the other route', () => seen.highest('line2/1') > highest + 20);
    const plain = await stateOf(rig, 'modbus-json');
    assert.deepEqual([plain.state, plain.generation], ['serving', 1]);
    assert.deepEqual([seen.gaps('line2/1'), seen.repeated('line2/1')], [[], []]);

    const before = seen.highest('line1/1');
    const back = await put(rig, { simd: 'baseline' });
    assert.deepEqual([back.status, back.body.version], [200, 3]);
    const again = await stateOf(rig, 'vector');
    assert.deepEqual([again.state, again.generation, again.refused], ['serving', 2, undefined]);
    await seen.until('the route again', () => seen.highest('line1/1') > before + 20);
    assert.deepEqual([seen.gaps('line1/1'), seen.repeated('line1/1')], [[], []]);
    assert.equal((await stateOf(rig, 'modbus-json')).generation, 1);
    assert.equal(await readFile(join(dirname(rig.plugins), 'policy.yaml'), 'utf8'), '{"simd":"baseline"}');
    const audit = (await readFile(join(rig.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
    assert.deepEqual(
      audit.map(each => JSON.parse(each)).map(({ action, outcome, detail }) => [action, outcome, detail]),
      [
        ['policy.change', 'ok', 'policy 2'],
        ['policy.change', 'ok', 'policy 3'],
      ],
    );
  },
);

test(
  'a policy file that is changed by hand is taken up; one that is wrong is refused and the one before stays',
  limit,
  async t => {
    const { rig, seen } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{}' });
    await seen.until('both routes', () => seen.highest('line1/1') > 5 && seen.highest('line2/1') > 5);
    const file = join(dirname(rig.plugins), 'policy.yaml');
    await writeFile(file, 'simd: baseline\ngrants:\n  vector: { smid: none }\n');
    const refused = await rig.book.line('SLUICE_POLICY_INVALID');
    assert.match(
      refused.msg,
      /policy\.yaml is refused, and policy 1 stays in force: .*policy\.yaml:3:13: grants\.vector\.smid: unknown key; did you mean "simd"/,
    );
    const { body: view } = await rig.ask('GET', '/v1/policy');
    assert.deepEqual([view.version, view.source, view.refused.code], [1, 'file', 'SLUICE_POLICY_INVALID']);
    // As a ConfigMap does it: another file takes the name.
    await writeFile(`${file}.new`, 'grants:\n  vector: { simd: none }\n');
    await rename(`${file}.new`, file);
    await rig.book.said(/^policy 2 is in force, from .*policy\.yaml$/);
    await rig.book.line('SLUICE_MODULE_OPCODE', { route: 'simd' });
    assert.equal((await stateOf(rig, 'vector')).state, 'refused');
    const { body: after } = await rig.ask('GET', '/v1/policy');
    assert.deepEqual(
      [after.version, after.policy.grants, after.refused],
      [2, { vector: { simd: 'none' } }, undefined],
    );
    assert.match((await rig.get('/metrics')).body, /^sluice_policy_version 2$/m);
  },
);

test('a comment or another order in the file is no other policy', limit, async t => {
  const { rig } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{ simd: baseline }' });
  const { status, body } = await rig.ask('PUT', '/v1/policy', {
    body: Buffer.from('# the same\nsimd: baseline # still\n'),
    headers: { 'content-type': 'application/yaml' },
  });
  assert.deepEqual([status, body.version], [200, 1]);
});

test(
  'a policy in the configuration is shown and cannot be written; the answer says what to do',
  limit,
  async t => {
    const { rig } = await startTwo(t, { simd: 'baseline', grants: { vector: { deadline: '300ms' } } });
    const { body } = await rig.ask('GET', '/v1/policy');
    assert.deepEqual([body.version, body.source, body.file], [1, 'configuration', undefined]);
    assert.deepEqual(body.policy.grants, { vector: { deadline: '300ms' } });
    const answer = await put(rig, body.policy);
    assert.deepEqual([answer.status, answer.body.code], [409, 'SLUICE_POLICY_NO_FILE']);
    assert.match(answer.body.remedy, /plugins: \{ policy: \.\/policy\.yaml \}/);
    assert.equal((await rig.ask('PUT', '/v1/policy', { token: undefined })).status, 401);
  },
);

test('a policy that cannot be used is refused with every mistake, and the file stays', limit, async t => {
  const { rig } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{}' });
  const answer = await put(rig, { smid: 'none', ceilings: { body: '1TiB' } });
  assert.deepEqual([answer.status, answer.body.code], [422, 'SLUICE_POLICY_INVALID']);
  assert.match(answer.body.detail, /smid: unknown key; did you mean "simd"/);
  assert.equal(await readFile(join(dirname(rig.plugins), 'policy.yaml'), 'utf8'), '{}');
  const large = await put(rig, { simd: ['x'.repeat(2 << 20)] });
  assert.deepEqual([large.status, large.body.code], [400, 'SLUICE_ADMIN_REQUEST']);
  const type = await rig.ask('PUT', '/v1/policy', {
    body: Buffer.from('{}'),
    headers: { 'content-type': 'application/wasm' },
  });
  assert.deepEqual([type.status, type.body.code], [415, 'SLUICE_ADMIN_TYPE']);
});

test('what the operator grants is shown, and what is denied is listed and logged', limit, async t => {
  const { rig } = await startTwo(t, {
    simd: 'integer',
    grants: { vector: { memory: '2MiB', simd: 'baseline' } },
  });
  const { grants } = await stateOf(rig, 'vector');
  const { features: _, imports, ...shown } = grants;
  assert.deepEqual(imports, ['log']);
  assert.deepEqual(shown, { memory: 2 << 20, deadline: 100, simd: 'baseline', denied: [] });
  const asks = { limits: { memory: 4 << 20, deadline: 50 }, features: ['threads'] } as const;
  await rig.put('vector', await variant('vector', { version: '2.0.0', ...asks }));
  const { grants: smaller } = await stateOf(rig, 'vector');
  assert.deepEqual([smaller.memory, smaller.deadline], [2 << 20, 50]);
  assert.deepEqual(smaller.denied, [
    'memory: asks for 4194304 bytes, gets 2097152 (allow it in plugins.grants.vector.memory)',
    'features: asks for threads (allow it in plugins.grants.vector.features)',
  ]);
  await rig.book.said(/vector\.wasm serves .*it asks for more than it gets: memory: asks for 4194304 bytes/);
});

test('other caps are given to a fresh generation, without a loss', limit, async t => {
  const { rig, seen } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{}' });
  await seen.until('both routes', () => seen.highest('line1/1') > 10 && seen.highest('line2/1') > 10);
  const { body, status } = await put(rig, { grants: { vector: { memory: '1MiB' } } });
  assert.deepEqual([status, body.version], [200, 2]);
  const { grants, generation } = await stateOf(rig, 'vector');
  assert.deepEqual([grants.memory, generation], [1 << 20, 2]);
  assert.equal((await stateOf(rig, 'modbus-json')).generation, 1);
  const highest = seen.highest('line1/1');
  await seen.until('frames', () => seen.highest('line1/1') > highest + 10);
  assert.deepEqual([seen.gaps('line1/1'), seen.repeated('line1/1')], [[], []]);
});

test(
  'what holds more memory than it is to have, and does not start with less, is stopped',
  limit,
  async t => {
    const at = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
    await writeFile(join(at, 'policy.yaml'), '{}');
    // Its configuration alone takes more than a page.
    const config = { pad: 'x'.repeat(200_000) };
    const rig = await startAdminRig(t, {}, ['echo'], '', () => 0, {
      at,
      plugins: { policy: './policy.yaml' },
      routes: [{ name: 'all', from: 'line1', through: [{ plugin: 'echo', config }] }],
    });
    assert.equal((await stateOf(rig, 'echo')).state, 'serving');
    assert.equal((await put(rig, { grants: { echo: { memory: '192KiB' } } })).status, 200);
    const { state, refused } = await stateOf(rig, 'echo');
    assert.equal(state, 'refused');
    assert.match(refused.message, /memory/);
    await rig.book.said(/echo\.wasm is refused: .*; frames of its route wait$/);
    assert.equal((await put(rig, {})).status, 200);
    assert.equal((await stateOf(rig, 'echo')).state, 'serving');
  },
);

test('what was refused at the start gets its chance when the policy allows it', limit, async t => {
  const { rig, seen } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': 'simd: none' });
  assert.equal((await stateOf(rig, 'vector')).state, 'refused');
  await put(rig, {});
  assert.equal((await stateOf(rig, 'vector')).state, 'serving');
  await seen.until('the route', () => seen.highest('line1/1') > 10);
});

test(
  'a version that is forbidden gives way to the one before, without a loss, and gets its chance when it may run again',
  limit,
  async t => {
    const { rig, seen } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{}' });
    const { status } = await rig.put(
      'modbus-json',
      await variant('vector', { name: 'modbus-json', version: '2.0.0' }),
    );
    assert.equal(status, 200);
    await seen.until('frames', () => seen.highest('line2/1') > 20);
    assert.equal((await put(rig, { simd: 'none' })).status, 200);
    const back = await stateOf(rig, 'modbus-json');
    assert.deepEqual(
      [back.state, back.version, back.refused.version, back.refused.code],
      ['serving', '0.1.0', '2.0.0', 'SLUICE_MODULE_OPCODE'],
    );
    const line = await rig.book.line('SLUICE_MODULE_OPCODE', { route: 'plain' });
    assert.match(line.msg, /policy 2 allows simd: none; .*the version before it serves on$/);
    const highest = seen.highest('line2/1');
    await seen.until('the version before', () => seen.highest('line2/1') > highest + 20);
    assert.equal((await put(rig, {})).status, 200);
    const again = await stateOf(rig, 'modbus-json');
    assert.deepEqual([again.state, again.version, again.refused], ['serving', '2.0.0', undefined]);
    assert.deepEqual([seen.gaps('line2/1'), seen.repeated('line2/1')], [[], []]);
  },
);

test(
  'a file in whose place the last good version serves is offered again when the policy allows it',
  limit,
  async t => {
    const { rig } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': 'simd: none' });
    await rig.gateway.stop(0);
    // A folder of its own: the first gateway's goes away with it.
    const at = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
    await cp(dirname(rig.plugins), at, { recursive: true });
    const newer = await variant('vector', { name: 'modbus-json', version: '2.0.0' });
    await writeFile(join(at, 'plugins', 'modbus-json.wasm'), newer);
    const next = await startAdminRig(t, {}, [], 'modbus-json', () => 0, {
      at,
      plugins: { policy: './policy.yaml' },
    });
    await next.book.said(/version 0\.1\.0 of modbus-json, which served last, takes its place/);
    await next.book.said(/modbus-json\.wasm serves/);
    assert.equal((await stateOf(next, 'modbus-json')).version, '0.1.0');
    assert.equal((await put(next, {})).status, 200);
    await next.book.said(/modbus-json\.wasm serves \(generation 2/);
    assert.equal((await stateOf(next, 'modbus-json')).version, '2.0.0');
  },
);

test('one plugin may be allowed to go back to a lower version, while the gateway runs', limit, async t => {
  const { rig } = await startTwo(t, { policy: './policy.yaml' }, { 'policy.yaml': '{}' });
  const older = await variant('modbus-json', { version: '0.0.9' });
  await writeFile(join(rig.plugins, 'modbus-json.wasm'), older);
  const { msg } = await rig.book.line('SLUICE_PLUGIN_DOWNGRADE');
  assert.match(msg, /version 0\.0\.9 of modbus-json is lower than 0\.1\.0, which served last/);
  const { body } = await put(rig, { grants: { 'modbus-json': { downgrade: true } } });
  assert.deepEqual(body.policy.grants, { 'modbus-json': { downgrade: true } });
  await rig.book.said(/modbus-json\.wasm serves \(generation 2/);
  assert.equal((await stateOf(rig, 'modbus-json')).version, '0.0.9');
});
