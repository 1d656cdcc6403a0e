import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { variant } from '../../support/gateway/gateway-rig.js';
import { startAdminRig } from './rig.js';

const limit = { timeout: 120_000 };
const gzip = { headers: { 'content-encoding': 'gzip' } };

test('an upload that is gzip is decoded and serves', limit, async t => {
  const rig = await startAdminRig(t);
  const body = gzipSync(await variant('modbus-json', { version: '7.0.0' }));
  const answer = await rig.put('modbus-json', body, gzip);
  assert.deepEqual([answer.status, answer.body.version, answer.body.generation], [200, '7.0.0', 2]);
});

test('another coding is refused before the body is read, with rule, version and place', limit, async t => {
  const rig = await startAdminRig(t);
  const answer = await rig.put('modbus-json', Buffer.alloc(5000), { headers: { 'content-encoding': 'br' } });
  assert.deepEqual([answer.status, answer.body.code], [400, 'SLUICE_HEADER_REQUEST']);
  assert.match(answer.type, /^application\/problem\+json/);
  assert.match(
    answer.body.detail,
    /content-encoding: br: policy 1 allows headers\.request\.content-encoding: gzip, identity; send gzip or identity, or allow it in plugins\.policy\.headers\.request\.content-encoding/,
  );
  const labels = { direction: 'request', code: 'SLUICE_HEADER_REQUEST' };
  assert.equal(await rig.metric('sluice_http_refused_total', labels), 1);
  assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
});

test('an upload in chunks is refused, and its client gets to read why', limit, async t => {
  const rig = await startAdminRig(t);
  const sent = request({
    host: '127.0.0.1',
    port: rig.gateway.adminPort,
    path: '/v1/plugins/modbus-json',
    method: 'PUT',
    agent: false,
    headers: {
      authorization: `Bearer ${rig.token}`,
      'content-type': 'application/wasm',
      'transfer-encoding': 'chunked',
    },
  });
  sent.write(Buffer.alloc(200_000));
  sent.end(Buffer.alloc(200_000));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  assert.equal(response.statusCode, 400);
  assert.match(
    JSON.parse(text).detail,
    /transfer-encoding: chunked: policy 1 allows .*: none; leave the header out/,
  );
});

test('the ceiling of an upload is that of the decoded bytes', limit, async t => {
  const rig = await startAdminRig(t, { maxUpload: '1MiB' });
  const bomb = gzipSync(Buffer.alloc(64 << 20));
  assert.ok(bomb.length < 1 << 20);
  const answer = await rig.put('modbus-json', bomb, gzip);
  assert.deepEqual([answer.status, answer.body.code], [413, 'SLUICE_MODULE_TOO_LARGE']);
  assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
});

test('what is not gzip as it says, or half of it, is refused with a code', limit, async t => {
  const rig = await startAdminRig(t);
  const whole = gzipSync(await variant('modbus-json', { version: '7.0.0' }));
  for (const body of [Buffer.from('no gzip at all'), whole.subarray(0, whole.length >> 1)]) {
    const answer = await rig.put('modbus-json', body, gzip);
    assert.deepEqual([answer.status, answer.body.code], [415, 'SLUICE_ADMIN_ENCODING']);
  }
  assert.deepEqual(await readdir(rig.plugins), ['modbus-json.wasm']);
});

test('a coding that the policy allows and nobody undoes is refused too', limit, async t => {
  const policy = { headers: { request: { 'content-encoding': ['br', 'gzip'] } } };
  const rig = await startAdminRig(t, {}, ['modbus-json'], 'modbus-json', () => 0, { plugins: { policy } });
  const answer = await rig.put('modbus-json', Buffer.alloc(50), { headers: { 'content-encoding': 'br' } });
  assert.deepEqual([answer.status, answer.body.code], [415, 'SLUICE_ADMIN_ENCODING']);
});

test(
  'an answer that the policy does not allow is dropped and counted; rules change with the policy',
  limit,
  async t => {
    const at = await mkdtemp(join(tmpdir(), 'sluice-policy-'));
    await writeFile(
      join(at, 'policy.yaml'),
      'headers: { response: { X-Content-Type-Options: none, Content-Type: [application/json] } }',
    );
    const plugins = { policy: './policy.yaml' };
    const rig = await startAdminRig(t, {}, ['modbus-json'], 'modbus-json', () => 0, { at, plugins });
    const answer = await rig.ask('GET', '/v1/plugins');
    const instead = JSON.parse(answer.body as unknown as string);
    assert.deepEqual([answer.status, instead.code], [500, 'SLUICE_HEADER_RESPONSE']);
    assert.equal(answer.headers['x-content-type-options'], undefined);
    assert.equal(answer.headers['content-type'], undefined, 'what goes in its place is judged too');
    assert.equal(instead.plugins, undefined);
    const labels = { direction: 'response', code: 'SLUICE_HEADER_RESPONSE' };
    assert.equal(await rig.metric('sluice_http_refused_total', labels), 1);
    for (const path of ['/v1/events', '/v1/quarantine'])
      assert.deepEqual((await rig.ask('GET', path)).status, 500, path);
    // What is not about plugins is not concerned, so the way back is open.
    const back = await rig.ask('PUT', '/v1/policy', {
      body: Buffer.from('{}'),
      headers: { 'content-type': 'application/json' },
    });
    assert.deepEqual([back.status, back.body.version], [200, 2]);
    assert.equal((await rig.ask('GET', '/v1/plugins')).status, 200);
  },
);
