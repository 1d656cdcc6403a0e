import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeGateway, mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';
import { send } from '../support/sources/http-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';

test('requests of one source come to its own port, of the other to the admin server, each with its own token', async t => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  const rig = await startGateway(
    t,
    {
      admin: { port: 0, token: 'the-token-of-the-admin' },
      sources: { own: { http: { port: 0 } }, shared: { http: { token: TOKEN } } },
      sinks: { plant: mqtt(server.port) },
      routes: [{ from: ['own', 'shared'], through: ['echo'] }],
    },
    ['echo'],
  );
  const own = Number(/:(\d+) takes/.exec((await rig.book.said(/takes POST \/ingest\/own/)).msg)?.[1]);
  const admin = rig.gateway.adminPort!;
  const post = (port: number, path: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return send(port, { path, method: 'POST', headers: { ...headers, 'content-length': '1' } }, 'x').then(
      ({ status }) => status,
    );
  };
  assert.equal(await post(own, '/ingest/own'), 202);
  assert.equal(await post(admin, '/ingest/shared', TOKEN), 202);
  assert.equal(server.published.length, 2, 'answered when the broker has confirmed');
  // The admin token opens no source, and that of a source nothing of the admin's.
  assert.equal(await post(admin, '/ingest/shared', 'the-token-of-the-admin'), 401);
  assert.equal(await post(admin, '/v1/plugins', TOKEN), 401);
  assert.equal(await post(admin, '/ingest/own', TOKEN), 404);
  assert.equal(
    await rig.metric('sluice_polls_skipped_total', { source: 'shared', code: 'SLUICE_SOURCE_TOKEN' }),
    1,
  );
});

test('a source without a port needs a token', async t => {
  await assert.rejects(makeGateway(t, { sources: { plc: { http: {} } } }), /a `token` is needed/);
  await assert.rejects(
    makeGateway(t, { sources: { plc: { http: { token: TOKEN, host: '::1' } } } }),
    /goes with `port`/,
  );
});
