import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { TunnelClient } from '../../host/tunnel-client/tunnel-client.js';
import { startGateway, tempFolder } from '../support/gateway/gateway-rig.js';
import { selfSigned } from '../support/mqtt/mqtt-certificate.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';
const ADMIN = 'the admin server';

test('a renewed certificate is taken up by broker, HTTP ingest, tunnel and admin server of a gateway, and no connection ends for it', async t => {
  const folder = await tempFolder(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(tls.key, key);
    await writeFile(tls.cert, cert);
  };
  const [old, renewed] = [selfSigned(), selfSigned()];
  await put(old);
  const [broker, http, tunnel] = [await freePort(), await freePort(), await freePort()];
  const rig = await startGateway(
    t,
    {
      admin: { port: 0, tls },
      broker: { port: broker, tls },
      sources: { hooks: { http: { port: http, token: TOKEN, tls } }, plc: { tunnel: { port: tunnel, tls } } },
      routes: [{ from: ['hooks', 'plc'], through: ['echo'] }],
    },
    ['echo'],
  );
  const ports = { broker, http, tunnel, [ADMIN]: rig.gateway.adminPort as number };
  const open = async (port: number): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  const said = async (socket: TLSSocket, bytes: string | Uint8Array, least = 12): Promise<Buffer> => {
    socket.write(bytes);
    let answer = Buffer.alloc(0);
    while (answer.length < least)
      answer = Buffer.concat([answer, ((await once(socket, 'data')) as [Buffer])[0]]);
    return answer;
  };
  const device = await open(broker);
  const hello = Buffer.from('100d00044d51545404020000000164', 'hex');
  assert.equal((await said(device, hello, 4)).toString('hex'), '20020000');
  const [hook, admin] = [await open(http), await open(ports[ADMIN])];
  // An answer without a token ends its connection.
  const post = `POST /ingest/hooks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 1\r\n\r\nx`;
  const ask = async (): Promise<void> => {
    assert.match(String(await said(hook, post)), /^HTTP\/1\.1 202 /);
    assert.match(
      String(await said(admin, 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')),
      /^HTTP\/1\.1 200 /,
    );
  };
  await ask();
  const servername = 'localhost';
  const plc = new TunnelClient({
    host: '127.0.0.1',
    port: tunnel,
    client: 'a',
    tls: { ca: old.cert, servername },
  });
  t.after(() => plc.close());
  plc.send({ payload: Buffer.from('a') });
  await rig.reaches(1, 'sluice_frames_total', { source: 'plc' });

  await put(renewed);
  const wanted = renewed.cert.replace(/-----[^-]+-----|\n/g, '');
  for (const [name, port] of Object.entries(ports)) {
    for (let look = 0; ; look++) {
      const socket = await open(port);
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      if (raw.toString('base64') === wanted) break;
      assert.ok(look < 600, `${name} has the old certificate still`);
      // Node ends HTTP connections that ask nothing for five seconds.
      await ask();
      await setTimeout(100);
    }
  }
  assert.equal((await said(device, Buffer.from('c000', 'hex'), 2)).toString('hex'), 'd000');
  await ask();
  plc.send({ payload: Buffer.from('b') });
  await rig.reaches(2, 'sluice_frames_total', { source: 'plc' });
  assert.deepEqual(rig.book.of('SLUICE_SOURCE_DISCONNECTED'), []);
  for (const socket of [device, hook, admin]) assert.equal(socket.destroyed, false);
});
