import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PolicyFile } from '../../host/policy/policy-file.js';
import { tempFolder } from '../support/gateway/gateway-rig.js';

test('a policy that cannot be put in its place leaves nothing behind', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'policy.yaml');
  // A file cannot take the name of a folder.
  await mkdir(path);
  const file = new PolicyFile({ path, text: '{}' }, { changed: () => {}, refused: () => {} });
  t.after(() => file.stop());
  await assert.rejects(file.write('simd: none\n'), { code: 'SLUICE_ADMIN_STORE' });
  assert.deepEqual(await readdir(folder), ['policy.yaml']);
});
