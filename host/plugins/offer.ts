import { createHash } from 'node:crypto';
import { type Manifest, SluiceError } from '../../runtime/index.js';
import type { ComponentCode, CoreCode } from '../../sandbox/index.js';
import type { Signed } from './signing/signature-gate.js';
import type { FoundSignatures } from './signing/vouch.js';

/** A plugin that may run, as a file offers it. */
export interface Offer extends Signed {
  readonly name: string;
  readonly manifest: Manifest;
  /** Of a core module the very bytes that were hashed and whose signature was verified. */
  readonly code: CoreCode | ComponentCode;
  /** `kept`: the file in the folder is refused, and this is the version that served last. */
  readonly origin: 'folder' | 'kept';
  /** Those that lay beside the file last and were good enough for it. */
  signatures: FoundSignatures;
}

/** What a whole file says of itself, held against its bytes. */
export interface Identified extends Signed {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/**
 * @param manifest its own, or the one beside it
 * @param end bytes that the hash in the manifest is of: all in front of it
 * @throws SluiceError SLUICE_MODULE_HASH
 */
export function identify(
  file: string,
  bytes: Uint8Array,
  found: { readonly manifest: Manifest; readonly end?: number },
  signatures: FoundSignatures,
): Identified {
  const { manifest, end = bytes.length } = found;
  const hash = createHash('sha256').update(bytes.subarray(0, end));
  const sha256 = hash.copy().digest('hex');
  if (sha256 !== manifest.sha256) {
    throw new SluiceError(
      'SLUICE_MODULE_HASH',
      `${file}: its bytes have the SHA-256 ${sha256}, its manifest says ${manifest.sha256}`,
    );
  }
  const fileHash = hash.update(bytes.subarray(end)).digest();
  return { file, bytes, manifest, fileHash, embedded: found.end !== undefined, signatures };
}
