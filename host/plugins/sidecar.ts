import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Manifest, moduleKind, parseManifest, SluiceError } from '../../runtime/index.js';

/**
 * The manifest in NAME.json beside a NAME.wasm that carries none of its own.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MANIFEST_MISSING, SLUICE_MANIFEST_INVALID
 */
export async function readSidecar(path: string, name: string, bytes: Uint8Array): Promise<Manifest> {
  // What is no wasm at all is said first: it explains more than a missing manifest.
  moduleKind(bytes);
  let text: Buffer;
  try {
    text = await readFile(path.replace(/\.wasm$/, '.json'));
  } catch {
    throw new SluiceError(
      'SLUICE_MANIFEST_MISSING',
      `${name} has no sluice:manifest section, and there is no ${name.replace(/\.wasm$/, '.json')}`,
    );
  }
  return { ...parseManifest(text), sha256: createHash('sha256').update(bytes).digest('hex') };
}
