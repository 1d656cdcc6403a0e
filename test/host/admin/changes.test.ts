import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeGateway, modbus, variant } from '../../support/gateway/gateway-rig.js';
import { startAdminRig } from './rig.js';

const limit = { timeout: 120_000 };

test(
  'a disabled plugin lets frames wait, is marked for the next start, and goes on when enabled',
  limit,
  async t => {
    const rig = await startAdminRig(t);
    await rig.reaches(5, 'sluice_messages_total');
    const off = await rig.ask('POST', '/v1/plugins/modbus-json/disable');
    assert.deepEqual([off.status, off.body.state], [200, 'disabled']);
    assert.ok((await readdir(join(rig.data, 'plugins'))).includes('modbus-json.disabled'));
    assert.deepEqual(await rig.degraded('SLUICE_ROUTE_UNSERVED'), [
      'route line1: the plugin modbus-json is disabled; its frames wait on the disk',
    ]);
    const messages = await rig.metric('sluice_messages_total');
    const on = await rig.ask('POST', '/v1/plugins/modbus-json/enable');
    assert.deepEqual([on.status, on.body.state, on.body.generation], [200, 'serving', 2]);
    await rig.reaches(messages + 5, 'sluice_messages_total');
  },
);

test('a deleted plugin is gone from folder and routes, and a rollback brings it back', limit, async t => {
  const rig = await startAdminRig(t);
  const gone = await rig.ask('DELETE', '/v1/plugins/modbus-json');
  assert.equal(gone.status, 204);
  assert.deepEqual(await readdir(rig.plugins), []);
  assert.equal((await rig.ask('GET', '/v1/plugins/modbus-json')).status, 404);
  const { body } = await rig.ask('GET', '/v1/routes');
  assert.equal(body.routes[0].state, 'waiting');
  const back = await rig.ask('POST', '/v1/plugins/modbus-json/rollback');
  assert.deepEqual([back.status, back.body.state], [201, 'serving']);
  const reset = await rig.ask('POST', '/v1/plugins/modbus-json/reset');
  assert.deepEqual([reset.status, reset.body.faults], [200, {}]);
});

test('the pages show plugins, routes, sources, sinks, versions and their own description', limit, async t => {
  const rig = await startAdminRig(t);
  await rig.reaches(5, 'sluice_messages_total');
  const { body: plugins } = await rig.ask('GET', '/v1/plugins');
  assert.equal(plugins.plugins[0].state, 'serving');
  const { body: sources } = await rig.ask('GET', '/v1/sources');
  assert.equal(sources.sources[0].peers[0].state, 'connected');
  const { body: sinks } = await rig.ask('GET', '/v1/sinks');
  assert.equal(sinks.sinks[0].state, 'connected');
  assert.match((await rig.ask('GET', '/v1/version')).body.version, /^\d+\.\d+\.\d+/);
  const { body: openapi } = await rig.ask('GET', '/openapi.json', { token: undefined });
  assert.ok(openapi.paths['/v1/plugins/{name}'].put && openapi.paths['/openapi.json'].get);
  assert.equal(openapi.paths['/v1/plugins/{name}'].delete.responses[204].content, undefined);
  const wrong = await rig.ask('PATCH', '/v1/plugins');
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'GET, HEAD']);
});

test('the event stream shows a swap', limit, async t => {
  const rig = await startAdminRig(t);
  const sent = request({
    host: '127.0.0.1',
    port: rig.gateway.adminPort,
    path: '/v1/events',
    agent: false,
    headers: { authorization: `Bearer ${rig.token}` },
  });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  t.after(() => response.destroy());
  await once(response, 'data');
  let text = '';
  response.on('error', () => {});
  const seen = new Promise<void>(resolve => {
    response.on('data', chunk => {
      text += String(chunk);
      if (/event: plugin\.serving\ndata: .*"version":"8\.0\.0"/.test(text)) resolve();
    });
  });
  await rig.put('modbus-json', await variant('modbus-json', { version: '8.0.0' }));
  await seen;
  assert.match(text, /event: plugin\.offered\ndata: .*"version":"8\.0\.0"/);
});

test('an address that others reach needs a configured token', limit, async t => {
  const config = { admin: { host: '0.0.0.0', port: 0 }, sources: { line1: modbus(1) } };
  await assert.rejects(makeGateway(t, config), { code: 'SLUICE_ADMIN_EXPOSED' });
});
