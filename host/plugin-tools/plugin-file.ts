import {
  type Manifest,
  type ModuleKind,
  moduleKind,
  readManifest,
  SluiceError,
} from '../../runtime/index.js';
import { readModule, sha256 } from './module-file.js';

/** A packed plugin as it lies in a file, whole by its own word. */
export interface PluginFile {
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly kind: ModuleKind;
  readonly manifest: Manifest;
}

/**
 * Reads a plugin and holds its bytes against the hash in its manifest, as a gateway does.
 * @throws SluiceError SLUICE_MODULE_UNREADABLE, SLUICE_MODULE_TOO_LARGE, SLUICE_MODULE_NOT_WASM,
 *   SLUICE_MODULE_MALFORMED, SLUICE_MODULE_HASH, SLUICE_MANIFEST_MISSING, SLUICE_MANIFEST_INVALID, SLUICE_ABI_UNSUPPORTED
 */
export async function readPlugin(file: string): Promise<PluginFile> {
  const bytes = await readModule(file);
  const kind = moduleKind(bytes);
  const found = readManifest(bytes);
  if (found === undefined) throw new SluiceError('SLUICE_MANIFEST_MISSING', `${file}: carries no manifest`);
  const { manifest, end } = found;
  const hash = sha256(bytes.subarray(0, end));
  if (hash !== manifest.sha256) {
    throw new SluiceError(
      'SLUICE_MODULE_HASH',
      `${file}: its bytes have ${hash}, the manifest says ${manifest.sha256}`,
    );
  }
  return { file, bytes, kind, manifest };
}
