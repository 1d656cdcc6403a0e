import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { publicKeyOf } from './public-key.js';
import type { Signature } from './signature-text.js';

/** What is signed begins with this, so that a signature made for anything else is none of a plugin. */
const PREFIX = Buffer.from('sluice plugin signature 1\n');

/**
 * What is signed: the prefix, then the SHA-256 (32 bytes, raw) of the whole file, its manifest included. Ed25519 as in
 * RFC 8032, without pre-hash and without context.
 */
function signedBytes(fileHash: Uint8Array): Buffer {
  return Buffer.concat([PREFIX, fileHash]);
}

/** @param fileHash SHA-256 of the whole file */
export function makeSignature(fileHash: Uint8Array, key: KeyObject): Signature {
  const { id } = publicKeyOf(createPublicKey(key));
  return { key: id, bytes: sign(null, signedBytes(fileHash), key) };
}

export function fits(signature: Signature, fileHash: Uint8Array, key: KeyObject): boolean {
  return verify(null, signedBytes(fileHash), key, signature.bytes);
}
