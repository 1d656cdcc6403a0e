import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { startBroker } from '../../host/broker/broker.js';

const HOST = '127.0.0.1';

test('the embedded broker passes a message from a publisher to a subscriber', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  const client = await connectAsync(`mqtt://${HOST}:${broker.port}`, { protocolVersion: 4 });
  await client.subscribeAsync('a/#');
  const seen = new Promise<string[]>(resolve => {
    client.once('message', (topic, payload) => resolve([topic, payload.toString()]));
  });
  await client.publishAsync('a/b', 'hello');
  assert.deepEqual(await seen, ['a/b', 'hello']);
  assert.equal(broker.clients(), 1);
  await client.endAsync();
  await broker.stop();
});

test('a port that is taken is refused with SLUICE_LISTEN_IN_USE', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  await assert.rejects(startBroker({ host: HOST, port: broker.port }), {
    code: 'SLUICE_LISTEN_IN_USE',
    message: new RegExp(
      `The embedded broker cannot listen on 127\\.0\\.0\\.1:${broker.port} \\(\`broker\`\\)`,
    ),
  });
  await broker.stop();
});

test('an address of another machine is refused with SLUICE_LISTEN_FAILED', async () => {
  await assert.rejects(startBroker({ host: '192.0.2.1', port: 0 }), { code: 'SLUICE_LISTEN_FAILED' });
});

test('this machine reaches a broker on any address over loopback', async () => {
  for (const [host, url] of [
    ['0.0.0.0', /^mqtt:\/\/127\.0\.0\.1:\d+$/],
    ['localhost', /^mqtt:\/\/localhost:\d+$/],
  ] as const) {
    const broker = await startBroker({ host, port: 0 });
    assert.match(broker.url, url);
    const client = await connectAsync(broker.url, { protocolVersion: 4 });
    await client.endAsync();
    await broker.stop();
  }
});

test('stop() closes connections that never said CONNECT', async () => {
  const broker = await startBroker({ host: HOST, port: 0 });
  const socket = connectTcp(broker.port, HOST);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await broker.stop();
  await closed;
  assert.equal(broker.clients(), 0);
});
