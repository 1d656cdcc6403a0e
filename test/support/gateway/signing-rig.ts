import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicKey, publicKeyOf } from '../../../host/plugins/signing/public-key.js';
import { makeSignature } from '../../../host/plugins/signing/signature.js';
import { formatSignatures } from '../../../host/plugins/signing/signature-text.js';

/** A key of the tests, and what can be done with it. */
export class Signer {
  readonly private: KeyObject;
  readonly public: PublicKey;
  /** The public key in PEM. */
  readonly pem: string;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.private = privateKey;
    this.public = publicKeyOf(publicKey);
    this.pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  }

  get id(): string {
    return this.public.id;
  }

  /** The text of a .sig for these bytes. */
  sign(bytes: Uint8Array): string {
    return formatSignatures([makeSignature(hashOf(bytes), this.private)]);
  }

  /** Puts the public key into a folder of trusted keys. */
  async trustIn(folder: string, name = 'a.pub'): Promise<void> {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), this.pem);
  }
}

export function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
