import { createHash } from 'node:crypto';
import { type Manifest, parseManifest, SluiceError } from '../../runtime/index.js';
import { type FoundModule, sidecarOf } from './folder.js';
import { readFound } from './found.js';

/**
 * The manifest in NAME.json beside a NAME.wasm that carries none of its own; undefined while it is being
 * written.
 * @throws SluiceError SLUICE_MANIFEST_MISSING, SLUICE_MANIFEST_INVALID, SLUICE_MODULE_UNREADABLE
 */
export async function readSidecar(
  name: string,
  { sidecar }: FoundModule,
  bytes: Uint8Array,
): Promise<Manifest | undefined> {
  const json = sidecarOf(name);
  if (sidecar === undefined) {
    throw new SluiceError(
      'SLUICE_MANIFEST_MISSING',
      `${name} has no sluice:manifest section, and there is no ${json} beside it`,
    );
  }
  if (sidecar instanceof SluiceError) throw sidecar;
  const text = await readFound(json, sidecar);
  if (text === undefined) return undefined;
  try {
    return { ...parseManifest(text), sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    throw new SluiceError(thrown.code, `${json}: ${thrown.message}`, { step: 'admit', cause: thrown });
  }
}
