import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { variant } from '../../support/gateway/gateway-rig.js';
import { Signer } from '../../support/gateway/signing-rig.js';
import { type AdminRig, type Answer, startAdminRig } from './rig.js';

const limit = { timeout: 120_000 };
const FILE = 'modbus-json.wasm';
const signer = new Signer();

const version = (number: string) => variant('modbus-json', { version: number });

/** With an empty plugin folder, or with all of a gateway before. */
function start(t: TestContext, options: Parameters<typeof startAdminRig>[5] = {}): Promise<AdminRig> {
  return startAdminRig(t, {}, [], undefined, undefined, options);
}

/** Uploads with a signature; undefined: without. */
function upload(rig: AdminRig, body: Uint8Array, text: string | undefined): Promise<Answer> {
  const headers = text === undefined ? {} : { 'sluice-signature': text.trim().replaceAll('\n', ', ') };
  return rig.put('modbus-json', body, { headers });
}

async function view(rig: AdminRig): Promise<Answer['body']> {
  return (await rig.ask('GET', '/v1/plugins/modbus-json')).body;
}

/** Puts a file there in one step. */
async function put(rig: AdminRig, name: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(join(rig.plugins, '.put'), bytes);
  await rename(join(rig.plugins, '.put'), join(rig.plugins, name));
}

test(
  'where signatures are asked for an upload brings one, which stays with the file, also through a rollback',
  limit,
  async t => {
    const rig = await startAdminRig(t);
    assert.equal((await view(rig)).signature.state, 'unsigned');
    await signer.trustIn(join(rig.folder, 'keys'));
    await rig.book.said(/^modbus-json\.wasm is not signed; what runs of it goes on, and is refused when/);
    assert.equal((await view(rig)).state, 'serving');

    const [seven, eight] = [await version('7.0.0'), await version('8.0.0')];
    for (const [text, code] of [
      [undefined, 'SLUICE_SIGNATURE_MISSING'],
      ['nonsense', 'SLUICE_SIGNATURE_INVALID'],
      [signer.sign(eight), 'SLUICE_SIGNATURE_MISMATCH'],
      [new Signer().sign(seven), 'SLUICE_SIGNATURE_UNTRUSTED'],
    ] as const) {
      const answer = await upload(rig, seven, text);
      assert.deepEqual([answer.status, answer.body.code], [422, code]);
    }
    assert.deepEqual(await readdir(rig.plugins), [FILE]);

    const first = await upload(rig, seven, signer.sign(seven));
    assert.deepEqual([first.status, first.body.state, first.body.fileState], [200, 'serving', 'present']);
    assert.deepEqual(first.body.signature, { state: 'signed', key: signer.id });
    const second = await upload(rig, eight, signer.sign(eight));
    assert.deepEqual([second.status, second.body.version], [200, '8.0.0']);
    const text = () => readFile(join(rig.plugins, `${FILE}.sig`), 'utf8');
    assert.equal(await text(), signer.sign(eight));

    const down = await upload(rig, seven, signer.sign(seven));
    assert.deepEqual([down.status, down.body.code], [409, 'SLUICE_PLUGIN_DOWNGRADE']);
    const back = await rig.ask('POST', '/v1/plugins/modbus-json/rollback');
    assert.deepEqual([back.status, back.body.version], [200, '7.0.0']);
    assert.deepEqual(back.body.signature, { state: 'signed', key: signer.id });
    assert.equal(await text(), signer.sign(seven));
    const forth = await upload(rig, eight, signer.sign(eight));
    assert.equal(forth.status, 200, 'what was gone back from may come again');

    const bad = await variant('missing-export', { name: 'modbus-json', version: '9.0.0' });
    const refused = await upload(rig, bad, signer.sign(bad));
    assert.deepEqual([refused.status, refused.body.code], [422, 'SLUICE_MODULE_EXPORT']);
    assert.equal(await text(), signer.sign(eight));
    assert.deepEqual([(await view(rig)).version, (await view(rig)).signature.state], ['8.0.0', 'signed']);
    assert.deepEqual(await readdir(rig.plugins), [FILE, `${FILE}.sig`]);
    assert.equal((await rig.ask('DELETE', '/v1/plugins/modbus-json')).status, 204);
    assert.deepEqual(await readdir(rig.plugins), []);
  },
);

test('where nobody asks for signatures the one of the version before does not stay', limit, async t => {
  const rig = await start(t, { plugins: { signatures: 'warn' } });
  const [seven, eight] = [await version('7.0.0'), await version('8.0.0')];
  const first = await upload(rig, seven, signer.sign(seven));
  assert.deepEqual([first.status, first.body.signature.state], [201, 'untrusted']);
  const second = await upload(rig, eight, undefined);
  assert.deepEqual([second.status, second.body.signature.state], [200, 'unsigned']);
  assert.deepEqual(await readdir(rig.plugins), [FILE]);
});

test(
  'what runs under a key that is revoked is stopped, and served again when another key has signed it',
  limit,
  async t => {
    const rig = await start(t);
    const keys = join(rig.folder, 'keys');
    const other = new Signer();
    await signer.trustIn(keys, 'a.pub');
    await other.trustIn(keys, 'b.pub');
    const bytes = await version('7.0.0');
    await put(rig, `${FILE}.sig`, signer.sign(bytes));
    await put(rig, FILE, bytes);
    await rig.reaches(5, 'sluice_messages_total');
    await mkdir(join(keys, 'revoked'));
    await rename(join(keys, 'a.pub'), join(keys, 'revoked', 'a.pub'));
    await rig.book.said(
      /^modbus-json\.wasm is signed with the key .* which is revoked \(.*\): it is stopped$/,
    );
    const stopped = await view(rig);
    assert.deepEqual([stopped.state, stopped.refused.code], ['refused', 'SLUICE_SIGNATURE_REVOKED']);
    assert.deepEqual(await rig.degraded('SLUICE_PLUGIN_UNKNOWN'), [
      'route line1 waits for the plugin modbus-json; its frames wait on the disk',
    ]);
    const messages = await rig.metric('sluice_messages_total');
    await put(rig, `${FILE}.sig`, other.sign(bytes));
    await rig.reaches(messages + 5, 'sluice_messages_total');
    const again = await view(rig);
    assert.deepEqual([again.state, again.signature.key, again.refused], ['serving', other.id, undefined]);
  },
);

test('a plugin whose file is removed by hand serves on, and is shown to have none', limit, async t => {
  const rig = await startAdminRig(t);
  await rig.reaches(5, 'sluice_messages_total');
  assert.equal((await view(rig)).fileState, 'present');
  await rm(join(rig.plugins, FILE));
  await rig.book.said(/modbus-json\.wasm \(modbus-json\) is gone; the version of it in memory serves on/);
  const shown = await view(rig);
  assert.deepEqual([shown.state, shown.fileState], ['serving', 'gone']);
});

test(
  'a file that is replaced by a bad one is shown as refused beside the version that serves',
  limit,
  async t => {
    const rig = await startAdminRig(t);
    await rig.reaches(5, 'sluice_messages_total');
    await put(rig, FILE, 'no plugin');
    await rig.book.line('SLUICE_MODULE_NOT_WASM');
    const { body } = await rig.ask('GET', '/v1/plugins');
    assert.equal(body.plugins.length, 1);
    const [shown] = body.plugins;
    assert.deepEqual(
      [shown.state, shown.fileState, shown.refused.code],
      ['serving', 'refused', 'SLUICE_MODULE_NOT_WASM'],
    );
  },
);

test(
  'at a start a refused file is replaced by the version that served last; a removed one is not',
  limit,
  async t => {
    const first = await start(t);
    await signer.trustIn(join(first.folder, 'keys'));
    const bytes = await version('7.0.0');
    assert.equal((await upload(first, bytes, signer.sign(bytes))).status, 201);
    await first.gateway.stop();

    const older = await version('6.0.0');
    for (const [spoil, code] of [
      [() => put(first, FILE, bytes.subarray(0, 900)), 'SLUICE_MODULE_MALFORMED'],
      [() => put(first, FILE, Buffer.from(bytes).fill(0xff, 200, 201)), 'SLUICE_MODULE_HASH'],
      [() => put(first, FILE, older), 'SLUICE_SIGNATURE_MISMATCH'],
      [() => put(first, `${FILE}.sig`, signer.sign(older)), 'SLUICE_PLUGIN_DOWNGRADE'],
    ] as const) {
      await spoil();
      const rig = await start(t, { at: first.folder });
      await rig.book.said(
        /^modbus-json\.wasm is refused; version 7\.0\.0 of modbus-json, which served last, takes/,
      );
      await rig.reaches(3, 'sluice_messages_total');
      const shown = await view(rig);
      assert.deepEqual(
        [shown.state, shown.version, shown.fileState, shown.refused.code, shown.signature.state],
        ['serving', '7.0.0', 'refused', code, 'signed'],
      );
      await rig.gateway.stop();
    }

    const lower = await start(t, { plugins: { downgrade: true }, at: first.folder });
    assert.equal((await view(lower)).version, '6.0.0');
    await lower.gateway.stop();

    await rm(join(first.plugins, FILE));
    const without = await start(t, { at: first.folder });
    assert.equal((await without.ask('GET', '/v1/plugins/modbus-json')).status, 404);
    await without.gateway.stop();
  },
);

test(
  'at a start a plugin that cannot run is replaced by the version that served last, unless its key is revoked',
  limit,
  async t => {
    const first = await start(t);
    const keys = join(first.folder, 'keys');
    const other = new Signer();
    await signer.trustIn(keys, 'a.pub');
    await other.trustIn(keys, 'b.pub');
    const bytes = await version('7.0.0');
    assert.equal((await upload(first, bytes, signer.sign(bytes))).status, 201);
    await first.gateway.stop();
    const bad = await variant('missing-export', { name: 'modbus-json', version: '8.0.0' });
    await put(first, FILE, bad);
    await put(first, `${FILE}.sig`, other.sign(bad));

    const rig = await start(t, { at: first.folder });
    const shown = await view(rig);
    assert.deepEqual(
      [shown.state, shown.version, shown.fileState, shown.refused.code],
      ['serving', '7.0.0', 'refused', 'SLUICE_MODULE_EXPORT'],
    );
    await rig.gateway.stop();

    await mkdir(join(keys, 'revoked'));
    await rename(join(keys, 'a.pub'), join(keys, 'revoked', 'a.pub'));
    const revoked = await start(t, { at: first.folder });
    await revoked.book.said(
      /^version 7\.0\.0 of modbus-json, which served last, cannot take the place .* is revoked/,
    );
    assert.equal((await view(revoked)).state, 'refused');
    await revoked.gateway.stop();
  },
);
