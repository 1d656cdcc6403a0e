import { type ErrorCode, readManifest, SluiceError } from '../../runtime/index.js';
import { type FoundModule, signaturesOf } from './folder.js';
import { readFound } from './found.js';
import { type Identified, identify } from './offer.js';
import { readSidecar } from './sidecar.js';
import { readFoundSignatures } from './signing/signature-file.js';
import type { SignatureGate } from './signing/signature-gate.js';
import type { FileStamps } from './stamps.js';
import { Stillness } from './stillness.js';

/** A file without a manifest of its own is complete when it has stood still for this long. */
export const STILL_MS = 200;
/** What looks half-written, or lacks the signature that it needs, is refused when it has stood still for this long. */
const PATIENCE_MS = 1000;

/** What a half-written file, or one with something beside it still to come, can look like. */
const INCOMPLETE = new Set<ErrorCode>([
  'SLUICE_MODULE_NOT_WASM',
  'SLUICE_MODULE_MALFORMED',
  'SLUICE_MODULE_HASH',
  'SLUICE_MANIFEST_INVALID',
  'SLUICE_MANIFEST_MISSING',
  'SLUICE_SIGNATURE_MISSING',
  'SLUICE_SIGNATURE_INVALID',
  'SLUICE_SIGNATURE_MISMATCH',
  'SLUICE_SIGNATURE_UNTRUSTED',
  'SLUICE_SIGNATURE_REVOKED',
]);

/** Reads modules of the folder once they are complete, and judges their signatures on the bytes that it hands on. */
export class ModuleReader {
  readonly #signatures: SignatureGate;
  readonly #stillness = new Stillness();

  constructor(signatures: SignatureGate) {
    this.#signatures = signatures;
  }

  /**
   * Undefined: not complete yet; it is to be looked at again after STILL_MS.
   * @throws SluiceError SLUICE_MODULE_*, SLUICE_MANIFEST_*, SLUICE_ABI_UNSUPPORTED, SLUICE_SIGNATURE_*
   */
  async read(file: string, found: FoundModule, stamps: FileStamps): Promise<Identified | undefined> {
    const stillMs = this.#stillness.of(file, stamps.whole, stamps.changedMs);
    const bytes = await readFound(file, found);
    if (bytes === undefined) return undefined;
    try {
      const embedded = readManifest(bytes);
      if (embedded === undefined && stillMs < STILL_MS) return undefined;
      const manifest = embedded?.manifest ?? (await readSidecar(file, found, bytes));
      const beside = this.#signatures.looks ? found.signatures : undefined;
      const signatures = await readFoundSignatures(signaturesOf(file), beside);
      if (manifest === undefined || signatures === undefined) return undefined;
      const read = identify(file, bytes, embedded ?? { manifest }, signatures);
      const refusal = this.#signatures.refusal(read);
      if (refusal !== undefined) throw refusal;
      return read;
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      if (stillMs < PATIENCE_MS && INCOMPLETE.has(thrown.code)) return undefined;
      throw thrown;
    }
  }

  /** Forgets all files but these. */
  keep(files: ReadonlyMap<string, unknown>): void {
    this.#stillness.keep(files);
  }
}
