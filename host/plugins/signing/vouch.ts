import { type ErrorCode, SluiceError } from '../../../runtime/index.js';
import type { KeyRing } from './key-ring.js';
import { fits } from './signature.js';
import type { Signature } from './signature-text.js';

/** What lies beside a file as its signatures; an error if that cannot be used. */
export type FoundSignatures = readonly Signature[] | SluiceError;

/** Whether somebody who is trusted vouches for exactly these bytes. Plain data. */
export type Vouched =
  | { readonly state: 'signed'; readonly key: string }
  | {
      readonly state: 'unsigned' | 'invalid' | 'mismatch' | 'untrusted' | 'revoked';
      readonly code: ErrorCode;
      /** Reads behind the name of the file: `is not signed: ...`. */
      readonly why: string;
    };

/**
 * One signature of a trusted key that fits is enough, whatever stands beside it: that is how keys are changed. A
 * revoked key never fits.
 * @param fileHash SHA-256 of the whole file
 */
export function vouch(fileHash: Uint8Array, found: FoundSignatures, ring: KeyRing): Vouched {
  if (found instanceof SluiceError) return { state: 'invalid', code: found.code, why: found.message };
  if (found.length === 0)
    return { state: 'unsigned', code: 'SLUICE_SIGNATURE_MISSING', why: 'is not signed' };
  for (const signature of found) {
    const trusted = ring.trusted.get(signature.key);
    if (trusted !== undefined && fits(signature, fileHash, trusted.key))
      return { state: 'signed', key: signature.key };
  }
  return refusal(found, ring);
}

/** A file whose manifest lies beside it: nobody vouches for both. */
export function notCovered(): Vouched {
  return {
    state: 'unsigned',
    code: 'SLUICE_SIGNATURE_MISSING',
    why: 'carries no manifest, and a signature does not cover the one beside it: pack it, then sign it',
  };
}

/** The reason that says most: bytes that were changed, then a key that was given up, then one that nobody knows. */
function refusal(signatures: readonly Signature[], ring: KeyRing): Vouched {
  const damaged = signatures.find(({ key }) => ring.trusted.has(key));
  if (damaged !== undefined) {
    const { file } = ring.trusted.get(damaged.key) as { file: string };
    return {
      state: 'mismatch',
      code: 'SLUICE_SIGNATURE_MISMATCH',
      why: `is not what was signed with the key ${damaged.key} (${file}): file and signature do not belong together, or one of them was changed`,
    };
  }
  const revoked = signatures.find(({ key }) => ring.revoked.has(key));
  if (revoked !== undefined) {
    return {
      state: 'revoked',
      code: 'SLUICE_SIGNATURE_REVOKED',
      why: `is signed with the key ${revoked.key}, which is revoked (${ring.revoked.get(revoked.key)})`,
    };
  }
  const keys = [...new Set(signatures.map(({ key }) => key))].join(', ');
  return {
    state: 'untrusted',
    code: 'SLUICE_SIGNATURE_UNTRUSTED',
    why: `is signed with the key ${keys}, which is not among the trusted ones`,
  };
}
