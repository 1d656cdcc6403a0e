import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServer, request } from 'coap';
import { mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { TestServer } from '../support/mqtt/mqtt-server.js';

test('what a CoAP device posts, and what is read of one, goes through a plugin to the broker', async t => {
  // npm coap is the device on both sides.
  const device = createServer((_, response) => {
    response.setOption('Content-Format', 'application/json');
    response.end('{"read":1}');
  });
  const port = await new Promise<number>((resolve, reject) => {
    device.listen(0, '127.0.0.1', (error?: Error) => {
      const { _sock: socket } = device;
      if (error || socket === null || !('address' in socket)) reject(error ?? new Error('no socket'));
      else resolve(socket.address().port);
    });
  });
  t.after(() => device.close());
  const server = await TestServer.start();
  t.after(() => server.stop());
  const rig = await startGateway(
    t,
    {
      sources: {
        field: { coap: { port: 0 } },
        meters: {
          coap: { devices: [{ host: '127.0.0.1', port }], poll: [{ path: 'sensors/t', every: '1h' }] },
        },
      },
      sinks: { plant: { ...mqtt(server.port), spool: false } },
      routes: [{ from: ['field', 'meters'], through: ['echo'] }],
    },
    ['echo'],
  );
  const own = Number(/:(\d+) listens/.exec((await rig.book.said(/listens for CoAP/)).msg)?.[1]);
  const answer = await new Promise<{ code: string }>((resolve, reject) => {
    const post = request({ hostname: '127.0.0.1', port: own, method: 'POST', pathname: '/halle/3' });
    post.on('response', resolve);
    post.on('error', reject);
    post.end('{"posted":1}');
  });
  assert.equal(answer.code, '2.04');
  await server.until(() => server.published.length === 2);
  assert.deepEqual(server.published.map(({ payload }) => String(payload)).toSorted(), [
    '{"posted":1}',
    '{"read":1}',
  ]);
  await rig.reaches(1, 'sluice_delivered_total', { source: 'meters' });
  await rig.reaches(1, 'sluice_delivered_total', { source: 'field' });
});
