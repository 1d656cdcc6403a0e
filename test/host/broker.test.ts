import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp, Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { generate } from 'mqtt-packet';
import { startBroker } from '../../host/broker/broker.js';
import { tempFolder } from '../support/gateway/gateway-rig.js';
import { selfSigned } from '../support/mqtt/mqtt-certificate.js';

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

test('a subscriber that does not read holds the others up for so long and no longer, and leaves its place', async t => {
  const said: string[] = [];
  const events = {
    refused: (reason: string, text: string) => void said.push(`${reason} ${text}`),
    renewed: () => {},
    failed: () => {},
  };
  const config = { host: HOST, port: 0, connectionsPerPeer: 3, drainMs: 1_000 };
  const broker = await startBroker(config, events);
  t.after(() => broker.stop());
  const stalled = connectTcp(broker.port, HOST);
  t.after(() => stalled.destroy());
  stalled.on('error', () => {});
  stalled.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 's',
      clean: true,
      keepalive: 0,
    }),
  );
  stalled.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] }));
  await once(stalled, 'data');
  stalled.pause();
  const reader = await connectAsync(broker.url, { protocolVersion: 4 });
  t.after(() => reader.endAsync(true));
  await reader.subscribeAsync('#');
  const sender = await connectAsync(broker.url, { protocolVersion: 4 });
  t.after(() => sender.endAsync(true));
  let left = 300;
  const all = new Promise<void>(resolve => {
    reader.on('message', () => {
      left -= 1;
      if (left === 0) resolve();
    });
  });
  for (let n = 0; n < 300; n++) sender.publish('t', Buffer.alloc(60_000));
  await all;
  assert.deepEqual(said, [
    'timeout 127.0.0.1 ("s") was cut off: it has not read what it is sent for 1000 ms',
  ]);
  // Its place is free again.
  const next = await connectAsync(broker.url, { protocolVersion: 4 });
  await next.endAsync();
});

test('a client that need not ping is probed by TCP, so that one that is lost does not keep its place', async t => {
  const probes = t.mock.method(Socket.prototype, 'setKeepAlive');
  const broker = await startBroker({ host: HOST, port: 0, packetMs: 40 });
  t.after(() => broker.stop());
  const silent = connectTcp(broker.port, HOST);
  t.after(() => silent.destroy());
  silent.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 's',
      clean: true,
      keepalive: 0,
    }),
  );
  await once(silent, 'data');
  // Thirty looks.
  await new Promise(resolve => setTimeout(resolve, 300));
  const found = probes.mock.calls.map(call => [(call.this as Socket).localPort, ...call.arguments]);
  assert.deepEqual(found, [[broker.port, true, 60_000]]);
});

test('with TLS the door inside is for the gateway alone, whoever the door outside lets in', async t => {
  const folder = await tempFolder(t);
  const pair = selfSigned();
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(tls.cert, pair.cert);
  await writeFile(tls.key, pair.key);
  const said: string[] = [];
  const refused = (_: string, text: string) => void said.push(text);
  const broker = await startBroker(
    { host: 'localhost', port: 0, tls },
    { refused, renewed: () => {}, failed: () => {} },
  );
  t.after(() => broker.stop());
  const plain = connectTcp(broker.port, 'localhost');
  plain.end('GET / HTTP/1.1\r\n\r\n').resume();
  await once(plain, 'close');
  assert.match(said[0]!, /did not get through the TLS handshake: it speaks HTTP without TLS$/);
  const v4 = { protocolVersion: 4, reconnectPeriod: 0 } as const;
  await assert.rejects(connectAsync(broker.url, v4), /Bad username or password/);
  const own = await connectAsync(broker.url, { ...v4, ...broker.own });
  const outside = await connectAsync(broker.address, { ...v4, ca: pair.cert });
  assert.equal(broker.clients(), 2);
  for (const client of [own, outside]) await client.endAsync();
});
