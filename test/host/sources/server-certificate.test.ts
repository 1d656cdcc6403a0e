import assert from 'node:assert/strict';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ServerCertificate } from '../../../host/sources/serve/server-certificate.js';
import type { Fault } from '../../../runtime/index.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';

/** A file that nobody can look at, whatever rights he has: a link to itself. */
async function unreadable(file: string): Promise<void> {
  await rm(file, { force: true });
  await symlink(file, file);
}

async function files(t: TestContext) {
  const folder = await tempFolder(t);
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
}

test('certificate files that cannot be looked at are said with a code at the start', async t => {
  const tls = await files(t);
  await unreadable(tls.cert);
  const certificate = new ServerCertificate(tls, 'sources.plc.http.tls');
  assert.throws(() => certificate.load(), { code: 'SLUICE_TLS_CERTIFICATE', message: /ELOOP/ });
});

test('certificate files that cannot be looked at any more are said once, and the one before serves on', async t => {
  const tls = await files(t);
  const pair = selfSigned();
  await writeFile(tls.cert, pair.cert);
  await writeFile(tls.key, pair.key);
  const certificate = new ServerCertificate(tls, 'sources.plc.http.tls');
  certificate.load();
  t.after(() => certificate.stop());
  await unreadable(tls.cert);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const faults: Fault[] = [];
  const renewals: string[] = [];
  const server = { setSecureContext: () => {} };
  const events = {
    renewed: () => void renewals.push('renewed'),
    failed: (fault: Fault) => void faults.push(fault),
  };
  certificate.watch(server, events, 10);
  t.mock.timers.tick(30);
  assert.deepEqual([faults.length, faults[0]?.code, renewals.length], [1, 'SLUICE_TLS_CERTIFICATE', 0]);
  assert.match(faults[0]?.message ?? '', /ELOOP.*the one before serves on/);
  await rm(tls.cert);
  await writeFile(tls.cert, pair.cert);
  t.mock.timers.tick(10);
  assert.equal(renewals.length, 1);
});
