import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { SluiceError } from '../../../runtime/index.js';

/** A key that signatures are held against. */
export interface PublicKey {
  /** First 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo (DER). */
  readonly id: string;
  readonly key: KeyObject;
}

/** Ceiling for a file with a key: one of Ed25519 has 113 characters. */
export const KEY_MAX_BYTES = 16 * 1024;

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * The one public key in the text of a PEM file (RFC 7468, SubjectPublicKeyInfo; Ed25519: RFC 8410).
 * @throws SluiceError SLUICE_KEY_INVALID; its message begins in the midst of a sentence: `holds a private key ...`
 */
export function parsePublicKey(pem: string): PublicKey {
  const blocks = [...pem.matchAll(BLOCK)];
  const labels = blocks.map(([, label]) => label);
  if (labels.some(label => label?.includes('PRIVATE'))) {
    invalid('holds a private key, which belongs to who signs and to nobody else');
  }
  if (blocks.length !== 1 || labels[0] !== 'PUBLIC KEY') {
    invalid('does not hold exactly one public key in PEM (-----BEGIN PUBLIC KEY-----)');
  }
  try {
    return publicKeyOf(createPublicKey((blocks[0] as RegExpExecArray)[0]));
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    return invalid('holds a public key that cannot be read', thrown);
  }
}

/** @throws SluiceError SLUICE_KEY_INVALID if it is of another kind than Ed25519 */
export function publicKeyOf(key: KeyObject): PublicKey {
  if (key.asymmetricKeyType !== 'ed25519') {
    invalid(`holds a key of the kind ${key.asymmetricKeyType}; signatures of plugins are Ed25519`);
  }
  const der = key.export({ type: 'spki', format: 'der' });
  return { id: createHash('sha256').update(der).digest('hex').slice(0, 16), key };
}

function invalid(why: string, cause?: unknown): never {
  throw new SluiceError('SLUICE_KEY_INVALID', why, cause === undefined ? {} : { cause });
}
