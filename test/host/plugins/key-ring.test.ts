import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readKeyRing } from '../../../host/plugins/signing/key-ring.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { Signer } from '../../support/gateway/signing-rig.js';

async function keys(
  t: TestContext,
): Promise<{ folder: string; put(name: string, text: string): Promise<void> }> {
  const folder = join(await tempFolder(t), 'keys');
  await mkdir(folder);
  return { folder, put: (name, text) => writeFile(join(folder, name), text) };
}

test('a folder that is not there holds no keys, and one with keys holds them by id', async t => {
  const { folder } = await keys(t);
  const none = await readKeyRing(join(folder, 'nowhere'));
  assert.deepEqual([none.inUse, none.trusted.size, none.problems], [false, 0, []]);
  assert.equal((await readKeyRing(folder)).inUse, false);
  const [a, b] = [new Signer(), new Signer()];
  await a.trustIn(folder, 'a.pub');
  await b.trustIn(folder, 'b.pem');
  await b.trustIn(folder, 'again.pem');
  await b.trustIn(folder, '.hidden.pub');
  await writeFile(join(folder, 'README'), 'ours');
  const ring = await readKeyRing(folder);
  assert.deepEqual([...ring.trusted.keys()].sort(), [a.id, b.id].sort());
  assert.deepEqual([ring.inUse, ring.problems], [true, []]);
});

test('a key is revoked by moving it, or by its id in a list, and is not trusted any more', async t => {
  const { folder, put } = await keys(t);
  const [a, b, c] = [new Signer(), new Signer(), new Signer()];
  await a.trustIn(folder, 'a.pub');
  await b.trustIn(folder, 'b.pub');
  await c.trustIn(folder, 'c.pub');
  await mkdir(join(folder, 'revoked'));
  await rename(join(folder, 'a.pub'), join(folder, 'revoked', 'a.pub'));
  await put('revoked.txt', `# lost laptops\n\n${b.id.toUpperCase()}  # 12 March\n`);
  const ring = await readKeyRing(folder);
  assert.deepEqual([...ring.trusted.keys()], [c.id]);
  assert.deepEqual(
    [...ring.revoked].sort(),
    [
      [a.id, 'revoked/a.pub'],
      [b.id, 'revoked.txt'],
    ].sort(),
  );
  assert.deepEqual(ring.problems, []);
});

test('keys that are all revoked still say that signatures are in use', async t => {
  const { folder, put } = await keys(t);
  await put('revoked', `${new Signer().id}\n`);
  const ring = await readKeyRing(folder);
  assert.deepEqual([ring.inUse, ring.trusted.size, ring.revoked.size], [true, 0, 1]);
});

test('what is no public key of Ed25519 is named with its reason, and is not trusted', async t => {
  const { folder, put } = await keys(t);
  const good = new Signer();
  const pem = { type: 'spki', format: 'pem' } as const;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export(pem) as string;
  const secret = good.private.export({ type: 'pkcs8', format: 'pem' }) as string;
  const files: [string, string, RegExp][] = [
    ['empty.pub', '', /^empty\.pub does not hold exactly one public key in PEM/],
    ['two.pub', good.pem + new Signer().pem, /exactly one public key/],
    [
      'cut.pub',
      good.pem.replace(/.{8}\n-----END/, '\n-----END'),
      /^cut\.pub holds a public key that cannot be read/,
    ],
    ['rsa.pem', rsa, /^rsa\.pem holds a key of the kind rsa; signatures of plugins are Ed25519/],
    ['secret.pem', secret, /^secret\.pem holds a private key/],
    ['secret.key', secret, /^secret\.key is named like a private key/],
    ['large.pub', ' '.repeat(20_000), /^large\.pub has 20000 bytes/],
    ['revoked', 'not-an-id\n', /^revoked has no key id \(16 hex digits\) in line 1/],
  ];
  for (const [name, text] of files) await put(name, text);
  execFileSync('mkfifo', [join(folder, 'pipe.pub')]);
  await symlink('/etc/passwd', join(folder, 'out.pub'));
  const { trusted, problems, inUse } = await readKeyRing(folder);
  assert.deepEqual([trusted.size, inUse], [0, true]);
  const said = new Map(problems.map(({ file, error }) => [file, error]));
  for (const [name, , why] of files) {
    assert.equal(said.get(name)?.code, 'SLUICE_KEY_INVALID', name);
    assert.match(said.get(name)?.message ?? '', why);
  }
  assert.match(said.get('pipe.pub')?.message ?? '', /pipe\.pub is not a regular file/);
  assert.match(said.get('out.pub')?.message ?? '', /out\.pub is a link that leads out of its folder/);
  assert.equal(problems.length, files.length + 2);
});

test('keys of a Kubernetes ConfigMap, which are links, are read', async t => {
  const { folder } = await keys(t);
  const signer = new Signer();
  await signer.trustIn(join(folder, '..2026'));
  await symlink('..2026', join(folder, '..data'));
  await symlink('..data/a.pub', join(folder, 'a.pub'));
  assert.deepEqual([...(await readKeyRing(folder)).trusted.keys()], [signer.id]);
});

test('a folder of revoked keys that is a link is read where it leads to a place inside, and fails all of it elsewhere', async t => {
  const { folder } = await keys(t);
  const other = await keys(t);
  const [inside, outside] = [new Signer(), new Signer()];
  await inside.trustIn(join(folder, '..2026'));
  await outside.trustIn(other.folder);
  await symlink('..2026', join(folder, 'revoked'));
  assert.deepEqual([...(await readKeyRing(folder)).revoked.keys()], [inside.id]);
  await unlink(join(folder, 'revoked'));
  await symlink(other.folder, join(folder, 'revoked'));
  await assert.rejects(readKeyRing(folder), {
    code: 'SLUICE_KEY_FOLDER',
    message: /revoked\/a\.pub is a link that leads out/,
  });
});

test('a list of revoked keys that cannot be read fails all of it, so that nobody takes it for empty', async t => {
  const { folder } = await keys(t);
  await new Signer().trustIn(folder);
  await symlink('/etc/passwd', join(folder, 'revoked'));
  await assert.rejects(readKeyRing(folder), {
    code: 'SLUICE_KEY_FOLDER',
    message: /^plugins\.keys: revoked is a link that leads out/,
  });
  const file = join(folder, 'a.pub');
  await assert.rejects(readKeyRing(file), { code: 'SLUICE_KEY_FOLDER', message: /ENOTDIR/ });
});
