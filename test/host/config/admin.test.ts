import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../../../host/config/load.js';

const SOURCES =
  'sources: { line1: { modbus: { devices: [ { host: 127.0.0.1 } ], poll: [ { holding: 0-1, every: 1s } ] } } }\n';

function adminOf(text: string, environment: Record<string, string> = {}) {
  return readConfig(`${SOURCES}admin: ${text}\n`, '/tmp/sluice.yaml', { environment }).then(
    ({ config }) => config.admin,
  );
}

test('the admin API takes its token from a variable, and its uploads have a size', async () => {
  const text = `{ token: "\${env:TOKEN}", uploads: true, maxUpload: 1MiB }`;
  assert.deepEqual(await adminOf(text, { TOKEN: 'sixteen-letters-' }), {
    host: '127.0.0.1',
    port: 8080,
    uploads: true,
    maxUploadBytes: 2 ** 20,
    token: 'sixteen-letters-',
  });
});

test('a token that is short or cannot stand in a header is refused, as is a size above the ceiling', async () => {
  for (const token of ['short', 'with spaces in it all', 'ümlauts-are-no-token', 'x'.repeat(257)])
    await assert.rejects(adminOf(`{ token: "${token}" }`), { code: 'SLUICE_CONFIG_INVALID' }, token);
  await assert.rejects(adminOf('{ maxUpload: 33MiB }'), /maxUpload.*is not between 1B and 32MiB/);
});
