import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { startServer } from '../../../host/admin/server/server.js';
import { Token } from '../../../host/admin/server/token.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { DEFAULT_POLICY } from '../../../runtime/index.js';
import { LogBook, tempFolder } from '../../support/gateway/gateway-rig.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';

test('the admin server takes up a renewed certificate, and connections that are open go on', async t => {
  const folder = await tempFolder(t);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
  };
  const [old, renewed] = [selfSigned(), selfSigned()];
  await put(old);
  const admin = await startServer({
    host: '127.0.0.1',
    port: 0,
    token: new Token('k3J9_xQ7mB2vN8pR'),
    tls: files,
    lookMs: 10,
    metrics: new Metrics(),
    ready: () => ({ ready: true, reasons: [], degraded: [] }),
    report: new Reporter(new LogBook().log),
    policy: { current: DEFAULT_POLICY },
    version: '0.0.0',
    resources: [],
  });
  t.after(() => admin.stop());
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ port: admin.port, host: '127.0.0.1', rejectUnauthorized: false });
    t.after(() => socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  const alive = async (socket: TLSSocket): Promise<void> => {
    socket.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const [chunk] = await once(socket, 'data');
    assert.match(String(chunk), /^HTTP\/1\.1 200 /);
  };
  const first = await open();
  await alive(first);
  await put(renewed);
  const names = async (): Promise<string> => {
    const socket = await open();
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return raw.toString('base64');
  };
  const wanted = renewed.cert.replace(/-----[^-]+-----|\n/g, '');
  while ((await names()) !== wanted) await new Promise(setImmediate);
  await alive(first);
});
