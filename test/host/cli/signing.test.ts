import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { guestFile, tempFolder } from '../../support/gateway/gateway-rig.js';
import { type Ended, sluice } from './support.js';

interface Bench {
  readonly cwd: string;
  run(...args: string[]): Promise<Ended>;
}

/** A folder with a packed plugin and the keys `signing` in it. */
async function bench(t: TestContext): Promise<Bench> {
  const cwd = await tempFolder(t);
  await copyFile(guestFile('echo'), join(cwd, 'echo.wasm'));
  const run: Bench['run'] = (...args) => sluice(['plugin', ...args], { cwd });
  assert.equal((await run('keygen')).code, 0);
  await mkdir(join(cwd, 'keys'));
  return { cwd, run };
}

test('a plugin is signed with a key that was made, trusted by its copy, and not trusted once that is moved', async t => {
  const { cwd, run } = await bench(t);
  assert.equal((await stat(join(cwd, 'signing.key'))).mode & 0o777, 0o600);
  const signed = await run('sign', 'echo.wasm', '--key', 'signing.key', '--json');
  assert.equal(signed.code, 0, signed.stderr);
  assert.equal(signed.stderr, '');
  const { signature, key, name, version } = JSON.parse(signed.stdout);
  assert.deepEqual([signature, name, version], ['echo.wasm.sig', 'echo', '1.0.0']);
  assert.match(await readFile(join(cwd, signature), 'utf8'), /^sluice-ed25519 [0-9a-f]{16} \S{88}\n$/);

  const unknown = await run('verify', 'echo.wasm');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no trusted key in keys/);
  assert.match(unknown.stderr, /echo\.wasm is signed with the key .* not among .*SLUICE_SIGNATURE_UNTRUSTED/);

  await copyFile(join(cwd, 'signing.pub'), join(cwd, 'keys', 'ops.pub'));
  const trusted = await run('verify', 'echo.wasm', '--json');
  assert.deepEqual(
    [trusted.code, JSON.parse(trusted.stdout)],
    [0, { file: 'echo.wasm', ok: true, name, version, key, keyFile: 'ops.pub' }],
  );
  assert.match(
    (await run('verify', 'echo.wasm')).stdout,
    /^echo\.wasm: echo 1\.0\.0, signed with the key .*\(ops\.pub\)$/m,
  );

  await mkdir(join(cwd, 'keys', 'revoked'));
  await rename(join(cwd, 'keys', 'ops.pub'), join(cwd, 'keys', 'revoked', 'ops.pub'));
  const revoked = await run('verify', 'echo.wasm', '--json');
  assert.deepEqual([revoked.code, JSON.parse(revoked.stdout).code], [1, 'SLUICE_SIGNATURE_REVOKED']);
});

test('keys are never overwritten, and a private key that others may read is pointed out', async t => {
  const { cwd, run } = await bench(t);
  const before = await readFile(join(cwd, 'signing.key'));
  const again = await run('keygen');
  assert.equal(again.code, 1);
  assert.match(again.stderr, /signing\.key is there already \(SLUICE_KEY_EXISTS\)/);
  assert.deepEqual(await readFile(join(cwd, 'signing.key')), before);
  await writeFile(join(cwd, 'half.pub'), '');
  assert.equal((await run('keygen', '--name', 'half')).code, 1);
  assert.ok(!(await readdir(cwd)).includes('half.key'), 'a private key without its other half is not left');
  assert.equal((await run('keygen', '--name', '../x')).code, 2);
  const other = await run('keygen', '--name', 'b', '--out', 'deep/er', '--json');
  assert.deepEqual(Object.keys(JSON.parse(other.stdout)), ['id', 'privateKey', 'publicKey']);
  await writeFile(join(cwd, 'open.key'), before, { mode: 0o644 });
  assert.match(
    (await run('sign', 'echo.wasm', '--key', 'open.key')).stderr,
    /others may read open\.key: chmod 600/,
  );
});

test('a second key signs beside the first with --add, and in its place without', async t => {
  const { cwd, run } = await bench(t);
  await run('keygen', '--name', 'b');
  const lines = async () => (await readFile(join(cwd, 'echo.wasm.sig'), 'utf8')).trim().split('\n').length;
  await run('sign', 'echo.wasm', '--key', 'signing.key');
  await run('sign', 'echo.wasm', '--key', 'signing.key', '--add');
  assert.equal(await lines(), 1);
  assert.match((await run('sign', 'echo.wasm', '--key', 'b.key', '--add')).stdout, /, 2 signatures$/m);
  assert.equal(await lines(), 2);
  await copyFile(join(cwd, 'signing.pub'), join(cwd, 'keys', 'a.pub'));
  assert.equal((await run('verify', 'echo.wasm')).code, 0);
  await run('sign', 'echo.wasm', '--key', 'b.key');
  assert.equal(await lines(), 1);
  assert.equal((await run('verify', 'echo.wasm')).code, 1);
});

test('what cannot be signed or verified is refused with its reason, and the files behind it are still looked at', async t => {
  const { cwd, run } = await bench(t);
  await writeFile(join(cwd, 'text.wasm'), 'no module');
  for (const [key, why] of [
    ['nowhere.key', /nowhere\.key: ENOENT.*SLUICE_KEY_INVALID/],
    ['signing.pub', /signing\.pub: holds no private key in PEM/],
    ['text.wasm', /text\.wasm: holds no private key in PEM/],
  ] as const) {
    const { code, stderr } = await run('sign', 'echo.wasm', '--key', key);
    assert.equal(code, 1);
    assert.match(stderr, why);
  }
  assert.equal((await run('sign', 'text.wasm', '--key', 'signing.key')).code, 1);
  await copyFile(join(cwd, 'signing.pub'), join(cwd, 'keys', 'a.pub'));
  await run('sign', 'echo.wasm', '--key', 'signing.key');
  await copyFile(join(cwd, 'echo.wasm'), join(cwd, 'bare.wasm'));
  await copyFile(join(cwd, 'echo.wasm'), join(cwd, 'odd.wasm'));
  await writeFile(join(cwd, 'odd.wasm.sig'), 'hello\n');
  const mixed = await run('verify', 'text.wasm', 'bare.wasm', 'odd.wasm', 'echo.wasm', '--json');
  assert.equal(mixed.code, 1);
  const said = mixed.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  assert.deepEqual(
    said.map(({ ok, code }) => code ?? ok),
    ['SLUICE_MODULE_NOT_WASM', 'SLUICE_SIGNATURE_MISSING', 'SLUICE_SIGNATURE_INVALID', true],
  );
  assert.match(
    said[2].message,
    /^odd\.wasm cannot be verified: odd\.wasm\.sig: the text of a signature is wrong in line 1/,
  );
  assert.equal((await run('sign', 'echo.wasm')).code, 2);
});
