import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseSignatures } from '../../../host/plugins/signing/signature-text.js';
import { CatalogRig } from '../../support/gateway/catalog-rig.js';
import { guestFile, tempFolder, unpacked, variant } from '../../support/gateway/gateway-rig.js';
import { Signer } from '../../support/gateway/signing-rig.js';

const limit = { timeout: 120_000 };
const echo = () => readFile(guestFile('echo'));
const signer = new Signer();

/** A catalog that trusts `signer`. */
async function trusting(t: TestContext, rule: 'auto' | 'require' | 'warn' = 'auto'): Promise<CatalogRig> {
  const root = await tempFolder(t);
  await signer.trustIn(join(root, 'keys'));
  return CatalogRig.make(t, rule, root);
}

test(
  'once there is a key, what is not signed is refused, and taken when its signature comes',
  limit,
  async t => {
    const rig = await trusting(t);
    const bytes = await echo();
    await rig.put('echo.wasm', bytes);
    await rig.start();
    const error = await rig.refused('echo.wasm');
    assert.equal(error.code, 'SLUICE_SIGNATURE_MISSING');
    assert.match(
      error.message,
      /^echo\.wasm is not signed; there are keys in .*, so a signature is asked for$/,
    );
    await rig.put('echo.wasm.sig', signer.sign(bytes));
    const offer = await rig.offered('echo.wasm');
    assert.deepEqual(rig.gate.view(offer), { state: 'signed', key: signer.id });
  },
);

test(
  'file and signature may come in any order and in pieces, without a refusal in between',
  limit,
  async t => {
    const rig = await trusting(t);
    await rig.start();
    const [first, second] = [await echo(), await variant('echo', { version: '2.0.0' })];
    await rig.put('echo.wasm', first);
    await rig.catalog.refresh();
    await rig.put('echo.wasm.sig', '');
    await rig.catalog.refresh();
    await rig.put('echo.wasm.sig', signer.sign(first));
    await rig.offered('echo.wasm');
    await rig.put('echo.wasm.sig', signer.sign(second));
    await rig.catalog.refresh();
    await rig.put('echo.wasm', second);
    await rig.offered('echo.wasm', 2);
    assert.deepEqual(rig.refusals, []);
  },
);

test('a signature that is renewed beside the same file loads nothing anew', limit, async t => {
  const rig = await trusting(t);
  const bytes = await echo();
  await rig.put('echo.wasm', bytes);
  await rig.put('echo.wasm.sig', signer.sign(bytes));
  await rig.start();
  const other = new Signer();
  await other.trustIn(rig.keys, 'b.pub');
  const [offer] = rig.offers;
  const renewed = { ...offer!, signatures: parseSignatures(other.sign(bytes)) };
  await rig.until('the second key to be trusted', () => rig.gate.view(renewed).state === 'signed');
  await rig.put('echo.wasm.sig', other.sign(bytes));
  // That the signature is another one is no event: nothing is loaded.
  while (rig.gate.view(offer!).key !== other.id) await rig.catalog.refresh();
  assert.deepEqual([rig.offers.length, rig.refusals], [1, []]);
});

test(
  'what is signed by a stranger, by a revoked key, or of other bytes is refused by its reason',
  limit,
  async t => {
    const rig = await trusting(t, 'require');
    const bytes = await echo();
    const gone = new Signer();
    await gone.trustIn(join(rig.keys, 'revoked'));
    const texts: [string, string, string, RegExp][] = [
      ['stranger', new Signer().sign(bytes), 'SLUICE_SIGNATURE_UNTRUSTED', /not among the trusted ones/],
      ['revoked', gone.sign(bytes), 'SLUICE_SIGNATURE_REVOKED', /is revoked \(revoked\/a\.pub\)/],
      [
        'other',
        signer.sign(await variant('echo', { version: '2.0.0' })),
        'SLUICE_SIGNATURE_MISMATCH',
        /\(a\.pub\)/,
      ],
      ['text', 'signed, honestly', 'SLUICE_SIGNATURE_INVALID', /text\.wasm\.sig: .* is wrong in line 1/],
      ['large', '#'.repeat(9000), 'SLUICE_SIGNATURE_INVALID', /large\.wasm\.sig has more than 8192 bytes/],
    ];
    for (const [name, text] of texts) {
      await rig.put(`${name}.wasm`, bytes);
      await rig.put(`${name}.wasm.sig`, text);
    }
    await rig.put('folder.wasm', bytes);
    await mkdir(rig.path('folder.wasm.sig'));
    await rig.start();
    for (const [name, , code, why] of texts) {
      const error = await rig.refused(`${name}.wasm`);
      assert.equal(error.code, code, name);
      assert.match(error.message, why);
      assert.ok(error.message.startsWith(`${name}.wasm `), error.message);
    }
    assert.match((await rig.refused('folder.wasm')).message, /folder\.wasm\.sig is not a regular file/);
    assert.deepEqual(rig.offers, []);
  },
);

test('a manifest beside the file is covered by no signature', limit, async t => {
  const rig = await trusting(t);
  const { code, json } = await unpacked('echo');
  await rig.put('plain.wasm', code);
  await rig.put('plain.json', json);
  await rig.put('plain.wasm.sig', signer.sign(code));
  await rig.start();
  const error = await rig.refused('plain.wasm');
  assert.equal(error.code, 'SLUICE_SIGNATURE_MISSING');
  assert.match(
    error.message,
    /carries no manifest, and a signature does not cover the one beside it: pack it/,
  );
});

test(
  'warn loads and says so for each file; off does not look; auto without keys says it once',
  limit,
  async t => {
    const bytes = await echo();
    const other = await variant('echo', { name: 'other' });
    for (const [rule, warnings] of [
      ['warn', 2],
      ['auto', 1],
      ['off', 0],
    ] as const) {
      const rig = await CatalogRig.make(t, rule);
      await rig.put('a.wasm', bytes);
      await rig.put('b.wasm', other);
      await rig.put('b.wasm.sig', 'nonsense');
      await rig.start();
      assert.deepEqual([rig.offers.length, rig.refusals.length], [2, 0], rule);
      assert.equal(rig.warnings.length, warnings, `${rule}: ${rig.warnings.join()}`);
    }
  },
);

test('a key that comes and one that is revoked count at once, for files that are there', limit, async t => {
  const rig = await CatalogRig.make(t, 'require');
  const bytes = await echo();
  await rig.put('echo.wasm', bytes);
  await rig.put('echo.wasm.sig', signer.sign(bytes));
  await rig.start();
  assert.equal(rig.warnings[0]?.code, 'SLUICE_KEY_MISSING');
  await rig.refused('echo.wasm');
  await signer.trustIn(rig.keys);
  const offer = await rig.offered('echo.wasm');
  await mkdir(join(rig.keys, 'revoked'));
  await rename(join(rig.keys, 'a.pub'), join(rig.keys, 'revoked', 'a.pub'));
  await rig.until('the revocation', () => rig.gate.standing(offer).may === 'not run');
  await rig.until('the refusal', () => rig.refusalsOf('echo.wasm').includes('SLUICE_SIGNATURE_REVOKED'));
});

test('keys that are gone, also over a restart, do not open the gate again under auto', limit, async t => {
  const root = await tempFolder(t);
  const first = await CatalogRig.make(t, 'auto', root);
  await signer.trustIn(first.keys);
  await first.start();
  const bytes = await echo();
  await first.put('echo.wasm', bytes);
  await first.put('echo.wasm.sig', signer.sign(bytes));
  const offer = await first.offered('echo.wasm');
  await rm(first.keys, { recursive: true });
  await first.until('the missing keys', () =>
    first.warnings.some(({ code }) => code === 'SLUICE_KEY_MISSING'),
  );
  const standing = first.gate.standing(offer);
  assert.equal(standing.may, 'not be loaded', 'what runs goes on');
  await first.stop();
  const second = await CatalogRig.make(t, 'auto', root);
  await second.start();
  const error = await second.refused('echo.wasm');
  assert.match(error.message, /there were keys in .* before, so a signature is asked for/);
  assert.equal(second.warnings[0]?.code, 'SLUICE_KEY_MISSING');
  const relaxed = await CatalogRig.make(t, 'warn', root);
  await relaxed.start();
  await relaxed.offered('echo.wasm');
});

test(
  'a key folder that cannot be read changes nothing, and is said; so is a key that is none',
  limit,
  async t => {
    const rig = await trusting(t);
    await rig.start();
    await writeFile(join(rig.keys, 'b.pub'), 'no key');
    await rig.until('the word', () => rig.warnings.some(({ code }) => code === 'SLUICE_KEY_INVALID'));
    await writeFile(join(rig.keys, 'revoked'), '#'.repeat(300_000));
    await rig.until('the word', () => rig.warnings.some(({ code }) => code === 'SLUICE_KEY_FOLDER'));
    const bytes = await echo();
    await rig.put('echo.wasm.sig', signer.sign(bytes));
    await rig.put('echo.wasm', bytes);
    await rig.offered('echo.wasm');
  },
);

test(
  'of 200 copies of a signed plugin with a bit turned over none gets through the folder',
  limit,
  async t => {
    const rig = await trusting(t, 'require');
    const bytes = Buffer.from(await echo());
    const text = signer.sign(bytes);
    for (let flip = 0; flip < 200; flip++) {
      const bit = (flip * 104_729) % (bytes.length * 8);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await rig.put(`f${flip}.wasm`, bytes);
      await rig.put(`f${flip}.wasm.sig`, text);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    await copyFile(guestFile('echo'), rig.path('good.wasm'));
    await rig.put('good.wasm.sig', text);
    await rig.start();
    await rig.until('all to be refused', () => rig.refusals.length >= 200);
    assert.deepEqual(
      rig.offers.map(({ file }) => file),
      ['good.wasm'],
    );
    assert.equal(new Set(rig.refusals.map(({ file }) => file)).size, 200);
  },
);

test(
  'a version lower than the one that served last is refused, naming both; equal and higher ones are taken',
  limit,
  async t => {
    const rig = await CatalogRig.make(t);
    rig.served.set('echo', '2.0.0');
    await rig.put('echo.wasm', await variant('echo', { version: '2.0.0-rc.1' }));
    await rig.start();
    const error = await rig.refused('echo.wasm');
    assert.equal(error.code, 'SLUICE_PLUGIN_DOWNGRADE');
    assert.equal(
      error.message,
      'echo.wasm: version 2.0.0-rc.1 of echo is lower than 2.0.0, which served last',
    );
    await rig.put('echo.wasm', await variant('echo', { version: '2.0.0' }));
    await rig.offered('echo.wasm');
    await rig.put('echo.wasm', await variant('echo', { version: '2.1.0' }));
    await rig.offered('echo.wasm', 2);
  },
);
