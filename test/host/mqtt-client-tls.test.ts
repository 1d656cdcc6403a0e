import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClientTls } from '../../host/mqtt/client-tls.js';
import { selfSigned } from '../support/mqtt/mqtt-certificate.js';

test('a client certificate is read again for each connection; one that cannot be used changes nothing and is said', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-tls-'));
  t.after(() => rm(folder, { recursive: true }));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
  };
  const [old, renewed] = [selfSigned(), selfSigned()];
  await put(old);
  const tls = new ClientTls('broker.local', { ...old, files });
  assert.equal(tls.refresh(), undefined);
  assert.equal(tls.options.cert, old.cert);
  await put(renewed);
  assert.equal(tls.refresh(), undefined);
  assert.deepEqual([tls.options.cert, tls.options.key], [renewed.cert, renewed.key]);
  // In the middle of a renewal: the certificate of one, the key of another.
  await put({ cert: old.cert, key: renewed.key });
  const fault = tls.refresh();
  assert.equal(fault?.code, 'SLUICE_TLS_CERTIFICATE');
  assert.match(fault.message, /cert\.pem.*cannot be used: .*; what was read before is used/);
  assert.equal(tls.options.cert, renewed.cert);
});
