import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Found, lookAtFile, readFound } from '../../../host/plugins/found.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';

test('a file in whose place there is something else by the time it is read is no error: the next look says what is there', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.wasm');
  await writeFile(join(folder, 'other'), 'bytes');
  const others = [
    () => writeFile(path, 'other'),
    () => mkdir(path),
    () => symlink('other', path),
    () => Promise.resolve(),
  ];
  for (const other of others) {
    await rm(path, { recursive: true, force: true });
    await writeFile(path, 'bytes');
    const found = (await lookAtFile(folder, 'a.wasm')) as Found;
    assert.equal(Buffer.from((await readFound('a.wasm', found)) ?? []).toString(), 'bytes');
    await rm(path);
    await other();
    assert.equal(await readFound('a.wasm', found), undefined);
  }
});
