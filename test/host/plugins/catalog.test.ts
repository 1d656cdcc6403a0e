import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { appendManifest } from '../../../runtime/index.js';
import { CatalogRig } from '../../support/gateway/catalog-rig.js';
import { guestFile, unpacked, variant } from '../../support/gateway/gateway-rig.js';

const echo = () => readFile(guestFile('echo'));

test('what is no plugin is refused once for each file, with its name and a code', async t => {
  const rig = await CatalogRig.make(t);
  const whole = await echo();
  const damaged = Buffer.from(whole);
  damaged[200]! ^= 0xff;
  const files: [string, Uint8Array | string, string, RegExp][] = [
    ['empty.wasm', '', 'SLUICE_MODULE_NOT_WASM', /the file is empty/],
    ['text.wasm', 'hello plant', 'SLUICE_MODULE_NOT_WASM', /begins with 68 65 6c/],
    ['zeros.wasm', Buffer.alloc(10_000_000), 'SLUICE_MODULE_NOT_WASM', /begins with 00 00/],
    ['short.wasm', whole.subarray(0, 1000), 'SLUICE_MODULE_MALFORMED', /at byte \d+/],
    ['damaged.wasm', damaged, 'SLUICE_MODULE_HASH', /its manifest says/],
    ['abi.wasm', await readFile(guestFile('wrong-abi')), 'SLUICE_ABI_UNSUPPORTED', /9\.0\.0/],
    ['bare.wasm', await readFile(guestFile('bare')), 'SLUICE_MANIFEST_MISSING', /no bare\.json beside it/],
    ['large.wasm', Buffer.alloc((32 << 20) + 1), 'SLUICE_MODULE_TOO_LARGE', /33554433 bytes/],
  ];
  for (const [name, bytes] of files) await rig.put(name, bytes);
  await rig.catalog.start();
  for (const [name, , code, text] of files) {
    const error = await rig.refused(name);
    assert.equal(error.code, code, name);
    assert.ok(error.message.startsWith(name), error.message);
    assert.match(error.message, text);
  }
  // Looked at again and again, but not told again.
  for (let look = 0; look < 3; look++) await rig.catalog.refresh();
  assert.equal(rig.refusals.length, files.length);
  await rig.put('text.wasm', 'hello again');
  await rig.until('the new state', () => rig.refusalsOf('text.wasm').length === 2);
  assert.deepEqual(rig.offers, []);
});

test('a fifo, a folder and links that lead out or nowhere are refused, and nothing hangs', async t => {
  const rig = await CatalogRig.make(t);
  execFileSync('mkfifo', [rig.path('pipe.wasm')]);
  await mkdir(rig.path('folder.wasm'));
  await symlink('/etc/passwd', rig.path('out.wasm'));
  await symlink('nowhere', rig.path('dangling.wasm'));
  await symlink('loop.wasm', rig.path('loop.wasm'));
  await rig.catalog.start();
  for (const name of ['pipe', 'folder', 'out', 'loop'])
    assert.equal((await rig.refused(`${name}.wasm`)).code, 'SLUICE_MODULE_UNREADABLE', name);
  assert.match((await rig.refused('out.wasm')).message, /a link that leads out of its folder/);
  assert.deepEqual(rig.refusalsOf('dangling.wasm'), [], 'a link to nothing is as good as not there');
});

test('a link inside the folder is followed, as a Kubernetes ConfigMap has them, and its switch is seen', async t => {
  const rig = await CatalogRig.make(t);
  for (const version of ['1.0.0', '2.0.0']) {
    await mkdir(rig.path(`..${version}`));
    await writeFile(rig.path(`..${version}/x.wasm`), await variant('echo', { version }));
  }
  await symlink('..1.0.0', rig.path('..data'));
  await symlink('..data/x.wasm', rig.path('x.wasm'));
  await rig.catalog.start();
  assert.equal((await rig.offered('x.wasm')).manifest.version, '1.0.0');
  await symlink('..2.0.0', rig.path('..data_tmp'));
  await rename(rig.path('..data_tmp'), rig.path('..data'));
  assert.equal((await rig.offered('x.wasm', 2)).manifest.version, '2.0.0');
  assert.deepEqual(rig.refusals, []);
});

test('dotfiles and the names that editors and copies use are not looked at', async t => {
  const rig = await CatalogRig.make(t);
  const names = [
    '.x.wasm',
    'x.wasm.tmp',
    'x.wasm~',
    '#x.wasm#',
    'x.wasm.part',
    'x y.wasm',
    '-x.wasm',
    'X.WASM',
  ];
  for (const name of names) await writeFile(rig.path(name), await echo());
  await rig.catalog.start();
  assert.deepEqual([rig.offers, rig.refusals], [[], []]);
});

test('a copy in pieces is not refused half-way, and is offered once when it is complete', async t => {
  const rig = await CatalogRig.make(t);
  await rig.catalog.start();
  const bytes = await echo();
  const file = await open(rig.path('echo.wasm'), 'w');
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 7)) {
    await file.write(bytes.subarray(at, at + Math.ceil(bytes.length / 7)));
    await rig.catalog.refresh();
  }
  await file.close();
  await rig.offered('echo.wasm');
  await rig.catalog.refresh();
  assert.deepEqual([rig.offers.length, rig.refusals], [1, []]);
});

test('a file without manifest takes the one beside it, whichever comes first, and follows its changes', async t => {
  const rig = await CatalogRig.make(t);
  const { code, json } = await unpacked('echo');
  await rig.catalog.start();
  await rig.put('plain.wasm', code);
  const missing = await rig.refused('plain.wasm');
  assert.equal(missing.code, 'SLUICE_MANIFEST_MISSING');
  await rig.put('plain.json', '{');
  await rig.until('the broken one', () => rig.refusalsOf('plain.wasm').length === 2);
  assert.match(rig.refusals[1]?.error.message ?? '', /^plain\.(wasm|json).*manifest/);
  await rig.put('plain.json', json);
  assert.equal((await rig.offered('plain.wasm')).name, 'echo');
  await rig.put('plain.json', json.replace('"1.0.0"', '"1.1.0"'));
  assert.equal((await rig.offered('plain.wasm', 2)).manifest.version, '1.1.0');
});

test('a sidecar that is a fifo or leads out is refused, and nothing hangs', async t => {
  const rig = await CatalogRig.make(t);
  const { code } = await unpacked('echo');
  execFileSync('mkfifo', [rig.path('pipe.json')]);
  await symlink(join(tmpdir(), '..', 'etc', 'passwd'), rig.path('out.json'));
  await rig.put('pipe.wasm', code);
  await rig.put('out.wasm', code);
  await rig.catalog.start();
  for (const name of ['pipe', 'out'])
    assert.equal((await rig.refused(`${name}.wasm`)).code, 'SLUICE_MODULE_UNREADABLE', name);
});

test('the manifest of a packed file is its own: a file beside it changes nothing', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('echo.wasm', await echo());
  await rig.catalog.start();
  await rig.put('echo.json', '{"name":"other"}');
  await rig.catalog.refresh();
  assert.deepEqual([rig.offers.map(({ name }) => name), rig.refusals], [['echo'], []]);
});

test('of two files with one name the second is refused, naming the first, and taken once the first is gone', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('a.wasm', await echo());
  await rig.put('b.wasm', await variant('echo', { version: '2.0.0' }));
  await rig.catalog.start();
  const error = await rig.refused('b.wasm');
  assert.equal(error.code, 'SLUICE_PLUGIN_NAME_TAKEN');
  assert.match(error.message, /^b\.wasm: the plugin name echo is taken by a\.wasm$/);
  await rm(rig.path('a.wasm'));
  assert.equal((await rig.offered('b.wasm')).manifest.version, '2.0.0');
  assert.deepEqual(rig.gone, ['a.wasm']);
});

test('a name is free as well when its file begins to carry another', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('a.wasm', await echo());
  await rig.put('b.wasm', await echo());
  await rig.catalog.start();
  await rig.refused('b.wasm');
  await rig.put('a.wasm', await variant('echo', { name: 'other' }));
  assert.equal((await rig.offered('b.wasm')).name, 'echo');
});

test('a folder that vanishes is said, once, and watched again when it is back', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('echo.wasm', await echo());
  await rig.catalog.start();
  await rename(rig.folder, `${rig.folder}.away`);
  await rig.catalog.refresh();
  await rig.catalog.refresh();
  assert.deepEqual(rig.gone, ['echo.wasm']);
  await mkdir(rig.folder);
  await rig.put('trap.wasm', await readFile(guestFile('trap')));
  await rig.offered('trap.wasm');
  assert.deepEqual(
    rig.refusals.map(({ file, error }) => [file, error.code]),
    [[rig.folder, 'SLUICE_PLUGIN_FOLDER']],
  );
  assert.deepEqual(rig.returned, [rig.folder]);
});

test('a plugin folder that is a file is said, once, and taken when it has become a folder', async t => {
  const rig = await CatalogRig.make(t);
  await rm(rig.folder, { recursive: true });
  await writeFile(rig.folder, '');
  await rig.catalog.start();
  await rig.catalog.refresh();
  assert.deepEqual(
    rig.refusals.map(({ error }) => error.code),
    ['SLUICE_PLUGIN_FOLDER'],
  );
  await rm(rig.folder);
  await mkdir(rig.folder);
  await rig.put('echo.wasm', await echo());
  await rig.catalog.refresh();
  await rig.offered('echo.wasm');
});

test('a component becomes core modules, which are kept for the next start', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('c.wasm', await readFile(guestFile('conformance-component')));
  await rig.catalog.start();
  const { code } = await rig.offered('c.wasm');
  assert.equal(code.format, 'component');
  const [kept] = await readdir(rig.components);
  const { mtimeMs } = await stat(join(rig.components, kept!));
  await rig.put('c.wasm', await readFile(guestFile('conformance-component')));
  assert.deepEqual((await rig.offered('c.wasm', 2)).code, code);
  assert.deepEqual(
    [(await stat(join(rig.components, kept!))).mtimeMs, (await readdir(rig.components)).length],
    [mtimeMs, 1],
  );
});

test('a stop does not wait for a component that is being transpiled, and leaves nothing half-made', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('c.wasm', await readFile(guestFile('conformance-component')));
  const started = rig.catalog.start();
  const under = async (): Promise<boolean> => {
    const [work] = await readdir(rig.components).catch(() => []);
    return work !== undefined && (await readdir(join(rig.components, work))).includes('component.wasm');
  };
  while (!(await under())) await setTimeout(5);
  await rig.catalog.stop();
  await started;
  assert.deepEqual([rig.offers, await readdir(rig.components)], [[], []]);
});

test('a component that takes its time keeps no other plugin waiting', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('a.wasm', await readFile(guestFile('conformance-component')));
  await rig.put('b.wasm', await echo());
  await rig.catalog.start();
  assert.deepEqual(
    rig.offers.map(({ file }) => file),
    ['b.wasm', 'a.wasm'],
  );
});

test('a name is taken while its component is made ready, and free when that fails', async t => {
  const rig = await CatalogRig.make(t);
  const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 1, 1, 0);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const fields = { name: 'echo', version: '1.0.0', kind: 'converter', accepts: [], limits: {} } as const;
  await rig.put('a.wasm', appendManifest(bytes, fields, sha256));
  await rig.put('b.wasm', await echo());
  await rig.catalog.start();
  assert.deepEqual(
    rig.refusals.map(({ error }) => error.code),
    ['SLUICE_PLUGIN_NAME_TAKEN', 'SLUICE_COMPONENT_TRANSPILE'],
  );
  assert.equal((await rig.offered('b.wasm')).name, 'echo');
});

test('a file that was refused and is removed is forgotten', async t => {
  const rig = await CatalogRig.make(t);
  await rig.put('text.wasm', 'hello plant');
  await rig.catalog.start();
  await rig.refused('text.wasm');
  await rm(rig.path('text.wasm'));
  await rig.until('it to be forgotten', () => rig.forgotten.includes('text.wasm'));
});
