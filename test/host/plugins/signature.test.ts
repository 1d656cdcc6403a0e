import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeyRing } from '../../../host/plugins/signing/key-ring.js';
import { makeSignature } from '../../../host/plugins/signing/signature.js';
import {
  formatSignatures,
  parseSignatures,
  type Signature,
} from '../../../host/plugins/signing/signature-text.js';
import { vouch } from '../../../host/plugins/signing/vouch.js';
import { SluiceError } from '../../../runtime/index.js';
import { anyText } from '../../support/fuzz/any-text.js';
import { guestFile } from '../../support/gateway/gateway-rig.js';
import { hashOf, Signer } from '../../support/gateway/signing-rig.js';

const one = new Signer();
const two = new Signer();

function ringOf(trusted: readonly Signer[], revoked: readonly Signer[] = []): KeyRing {
  return {
    trusted: new Map(trusted.map(({ id, public: key }) => [id, { ...key, file: `${id}.pub` }])),
    revoked: new Map(revoked.map(({ id }) => [id, 'revoked'])),
    inUse: true,
    problems: [],
  };
}

const signature = fc
  .tuple(fc.stringMatching(/^[0-9a-f]{16}$/), fc.uint8Array({ minLength: 64, maxLength: 64 }))
  .map(([key, bytes]) => ({ key, bytes: Buffer.from(bytes) }));
const signatures = fc.array(signature, { minLength: 1, maxLength: 8 });

test('signatures written as text are read as they were, also from a header', () => {
  fc.assert(
    fc.property(signatures, written => {
      const text = formatSignatures(written);
      assert.deepEqual(parseSignatures(text), written);
      assert.deepEqual(parseSignatures(text.trim().replaceAll('\n', ', ')), written);
      assert.deepEqual(
        parseSignatures(`# made in the plant\r\n\r\n${text.replaceAll('\n', '\r\n')}`),
        written,
      );
    }),
  );
});

test('any text is read, or refused with a code; what is read is written as it was', () => {
  const nearly = fc.tuple(signatures, fc.nat(), anyText({ maxLength: 3 })).map(([written, at, put]) => {
    const text = formatSignatures(written);
    return text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1);
  });
  fc.assert(
    fc.property(fc.oneof(anyText(), nearly), text => {
      let read: Signature[];
      try {
        read = parseSignatures(text);
      } catch (thrown) {
        assert.ok(
          thrown instanceof SluiceError && thrown.code === 'SLUICE_SIGNATURE_INVALID',
          String(thrown),
        );
        return;
      }
      const lines = text.split(/[\n,]/).map(line => line.trim());
      for (const line of formatSignatures(read).trim().split('\n')) assert.ok(lines.includes(line), line);
    }),
    { numRuns: 500 },
  );
});

test('a text that is too long, or of too many signatures, or with bits too many is refused', () => {
  const text = formatSignatures([{ key: '0123456789abcdef', bytes: new Uint8Array(64) }]);
  assert.throws(() => parseSignatures('#'.repeat(8193)), /more than 8192 characters/);
  assert.throws(() => parseSignatures(text.repeat(33)), /33 signatures, the ceiling is 32/);
  assert.throws(() => parseSignatures(text.replace('A==', 'B==')), /not the base64 of 64 bytes/);
  assert.throws(() => parseSignatures('# nothing\n'), /holds no signature/);
});

test('of 10,000 files with one bit turned over none is vouched for', async () => {
  const bytes = Buffer.from(await readFile(guestFile('echo')));
  const found = parseSignatures(one.sign(bytes));
  const ring = ringOf([one]);
  assert.deepEqual(vouch(hashOf(bytes), found, ring), { state: 'signed', key: one.id });
  const bits = bytes.length * 8;
  const states = new Map<string, number>();
  for (let flip = 0; flip < 10_000; flip++) {
    // A stride without a common divisor: another bit each time, all over the file.
    const bit = (flip * 7919) % bits;
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const { state } = vouch(hashOf(bytes), found, ring);
    states.set(state, (states.get(state) ?? 0) + 1);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  assert.deepEqual([...states], [['mismatch', 10_000]]);
  assert.equal(vouch(hashOf(bytes), found, ring).state, 'signed');
});

test('no bit of a signature can be turned over either', () => {
  const hash = hashOf(Buffer.from('a file'));
  const made = makeSignature(hash, one.private);
  for (let bit = 0; bit < 512; bit++) {
    const bytes = Buffer.from(made.bytes);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(vouch(hash, [{ key: one.id, bytes }], ringOf([one])).state, 'mismatch', `bit ${bit}`);
  }
});

test('a signature of the bare hash, without the prefix, is none', async () => {
  const { sign } = await import('node:crypto');
  const hash = hashOf(Buffer.from('a file'));
  const bytes = sign(null, hash, one.private);
  assert.equal(vouch(hash, [{ key: one.id, bytes }], ringOf([one])).state, 'mismatch');
});

test('one trusted signature that fits is enough; a revoked key never fits; the reason says most', () => {
  const hash = hashOf(Buffer.from('a file'));
  const [first, second] = [makeSignature(hash, one.private), makeSignature(hash, two.private)];
  const stale = makeSignature(hashOf(Buffer.from('the file before')), one.private);
  const cases: [string, readonly Signature[], KeyRing, RegExp][] = [
    ['signed', [first], ringOf([one]), /./],
    ['signed', [second, first], ringOf([one]), /./],
    ['signed', [stale, first], ringOf([one]), /./],
    ['signed', [first, second], ringOf([two], [one]), /./],
    ['unsigned', [], ringOf([one]), /^is not signed$/],
    ['untrusted', [second], ringOf([one]), new RegExp(`the key ${two.id}, which is not among`)],
    [
      'revoked',
      [first],
      ringOf([two], [one]),
      new RegExp(`the key ${one.id}, which is revoked \\(revoked\\)`),
    ],
    ['revoked', [first, second], ringOf([], [one]), /is revoked/],
    ['mismatch', [stale, second], ringOf([one], [two]), new RegExp(`with the key ${one.id} \\(.*\\.pub\\)`)],
    ['mismatch', [{ key: one.id, bytes: second.bytes }], ringOf([one, two]), /do not belong together/],
  ];
  for (const [state, found, ring, why] of cases) {
    const vouched = vouch(hash, found, ring);
    assert.equal(vouched.state, state);
    if (vouched.state !== 'signed') assert.match(vouched.why, why);
  }
  const invalid = new SluiceError('SLUICE_SIGNATURE_INVALID', 'cannot be verified');
  assert.equal(vouch(hash, invalid, ringOf([one])).state, 'invalid');
});
