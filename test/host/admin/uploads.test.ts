import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { guestFile, variant } from '../../support/gateway/gateway-rig.js';
import { startAdminRig } from './rig.js';

const limit = { timeout: 120_000 };

test('who has no token, a wrong one, a foreign Host or Origin changes nothing', limit, async t => {
  const rig = await startAdminRig(t);
  const body = await variant('modbus-json', { version: '9.0.0' });
  for (const [status, code, asked] of [
    [401, 'SLUICE_ADMIN_TOKEN', { token: undefined }],
    [401, 'SLUICE_ADMIN_TOKEN', { token: `${rig.token}x` }],
    [421, 'SLUICE_ADMIN_HOST', { headers: { host: 'evil.example' } }],
    [403, 'SLUICE_ADMIN_ORIGIN', { headers: { origin: 'http://evil.example' } }],
    [415, 'SLUICE_ADMIN_TYPE', { headers: { 'content-type': 'text/html' } }],
    [415, 'SLUICE_ADMIN_TYPE', { headers: { 'content-type': 'application/x-nobody-knows' } }],
  ] as const) {
    const answer = await rig.put('modbus-json', body, asked);
    assert.deepEqual([answer.status, answer.body.code], [status, code]);
    assert.match(answer.type, /^application\/problem\+json/);
    if (status === 415) assert.match(String(answer.body.detail), /^\S+ is not taken here$/);
  }
  const { body: view } = await rig.ask('GET', '/v1/plugins/modbus-json');
  assert.notEqual(view.version, '9.0.0');
  assert.equal(view.generation, 1);
  assert.equal((await stat(join(rig.data, 'admin-token'))).mode & 0o777, 0o600);
});

test('a name that leads elsewhere is no name, and nothing is written', limit, async t => {
  const rig = await startAdminRig(t);
  const body = await readFile(guestFile('modbus-json'));
  for (const name of ['..%2f..%2fetc', '%00', 'a%00b', '.hidden', 'Upper', 'a'.repeat(64)]) {
    const answer = await rig.put(name, body);
    assert.deepEqual([answer.status, answer.body.code], [422, 'SLUICE_PLUGIN_NAME'], name);
  }
  // As a client sends it that does not tidy up paths.
  for (const [path, status] of [
    ['/v1/plugins/../../etc/passwd', 404],
    ['/v1/plugins/a/../modbus-json', 404],
    ['/v1/plugins/', 422],
  ] as const) {
    const answer = await rig.ask('PUT', path, { body, headers: { 'content-type': 'application/wasm' } });
    assert.equal(answer.status, status, path);
  }
  assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
});

test(
  'what is too large, no wasm, another plugin or for a folder that is gone is refused with its code',
  limit,
  async t => {
    const rig = await startAdminRig(t);
    const large = await rig.put('modbus-json', new Uint8Array(100e6));
    assert.deepEqual([large.status, large.body.code], [413, 'SLUICE_MODULE_TOO_LARGE']);
    const none = await rig.put('modbus-json', Buffer.from('no wasm at all'));
    assert.deepEqual([none.status, none.body.code], [422, 'SLUICE_MODULE_NOT_WASM']);
    const other = await rig.put('other', await readFile(guestFile('modbus-json')));
    assert.deepEqual([other.status, other.body.code], [422, 'SLUICE_ADMIN_NAME']);
    assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
    await rename(rig.plugins, `${rig.plugins}-away`);
    const nowhere = await rig.put('modbus-json', await readFile(guestFile('modbus-json')));
    await rename(`${rig.plugins}-away`, rig.plugins);
    assert.deepEqual([nowhere.status, nowhere.body.code], [500, 'SLUICE_PLUGIN_FOLDER']);
    assert.match(String(nowhere.body.detail), /^the plugin folder .* is gone$/);
  },
);

test('half a body leaves nothing behind, and is audited', limit, async t => {
  const rig = await startAdminRig(t);
  const socket = connect(rig.gateway.adminPort as number, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `PUT /v1/plugins/modbus-json HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${rig.token}\r\nContent-Type: application/wasm\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(100)}`,
    () => socket.destroy(),
  );
  await rig.book.said(/^audit: plugin\.upload modbus-json: SLUICE_ADMIN_REQUEST/);
  assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
});

test('uploads are off unless they are turned on', limit, async t => {
  const rig = await startAdminRig(t, { uploads: false });
  const answer = await rig.put('modbus-json', await readFile(guestFile('modbus-json')));
  assert.deepEqual([answer.status, answer.body.code], [403, 'SLUICE_ADMIN_UPLOADS_OFF']);
});

test(
  'an upload swaps without a loss, a bad one is put back, a rollback brings the first back',
  limit,
  async t => {
    const rig = await startAdminRig(t);
    const { body: first } = await rig.ask('GET', '/v1/plugins/modbus-json');
    await rig.reaches(20, 'sluice_delivered_total');
    const second = await rig.put('modbus-json', await variant('modbus-json', { version: '7.0.0' }));
    assert.deepEqual(
      [second.status, second.body.version, second.body.generation, second.body.state],
      [200, '7.0.0', 2, 'serving'],
    );
    const bad = await rig.put(
      'modbus-json',
      await variant('missing-export', { name: 'modbus-json', version: '8.0.0' }),
    );
    assert.deepEqual([bad.status, bad.body.code], [422, 'SLUICE_MODULE_EXPORT']);
    const { body: after } = await rig.ask('GET', '/v1/plugins/modbus-json');
    assert.deepEqual([after.version, after.generation, after.state], ['7.0.0', 2, 'serving']);
    const back = await rig.ask('POST', '/v1/plugins/modbus-json/rollback');
    assert.deepEqual([back.status, back.body.version, back.body.generation], [200, first.version, 3]);
    assert.equal(back.body.previous.version, '7.0.0');
    assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
    await rig.gateway.stop();
    assert.equal(await rig.metric('sluice_delivered_total'), await rig.metric('sluice_frames_total'));
    const audit = (await readFile(join(rig.data, 'audit.jsonl'), 'utf8')).trim().split('\n');
    assert.deepEqual(
      audit.map(line => JSON.parse(line).outcome),
      ['ok', 'SLUICE_MODULE_EXPORT', 'ok'],
    );
  },
);
