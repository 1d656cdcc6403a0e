/**
 * The manifest: a custom section at the end of a plugin's file that says what the plugin is, readable
 * without running anything. This floor does not hash; the host compares `sha256` with the bytes in front.
 */
import { quote } from './admission/quote.js';
import { CONTRACT_VERSION, MANIFEST_SECTION } from './contract.js';
import { SluiceError } from './errors.js';
import { checkFields, checkHash, type Manifest, type ManifestFields } from './manifest-fields.js';
import { iterateSections, type Section, writeU32 } from './wasm-sections.js';

export type { Manifest, ManifestFields, ManifestLimits, PluginKind } from './manifest-fields.js';

/** Ceiling for the section: a manifest is read before anything is trusted. */
export const MANIFEST_MAX_BYTES = 64 * 1024;

/**
 * The manifest and `end`, the number of bytes in front of its section (those that `sha256` is of), or
 * undefined if the file carries none.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, SLUICE_MODULE_MALFORMED, SLUICE_MANIFEST_INVALID,
 *   SLUICE_ABI_UNSUPPORTED
 */
export function readManifest(bytes: Uint8Array): { manifest: Manifest; end: number } | undefined {
  let found: Section | undefined;
  for (const section of iterateSections(bytes)) {
    if (found !== undefined) {
      const what =
        section.name === undefined ? `section ${section.id}` : `the section ${quote(section.name, 64)}`;
      invalid(
        `${what} at byte ${section.offset} comes behind it, and it has to be last: pack the file after all other tools`,
      );
    }
    if (section.name === MANIFEST_SECTION) found = section;
  }
  if (found === undefined) return undefined;
  const size = found.end - found.start;
  if (size > MANIFEST_MAX_BYTES) invalid(`it has ${size} bytes, the ceiling is ${MANIFEST_MAX_BYTES}`);
  const value = parseJson(bytes.slice(found.start, found.end));
  const fields = checkFields(value);
  return { manifest: { ...fields, sha256: checkHash(value, 'sha256') }, end: found.offset };
}

/**
 * A manifest that stands in a file of its own (sidecar or plugin.json).
 * @throws SluiceError SLUICE_MANIFEST_INVALID, SLUICE_ABI_UNSUPPORTED
 */
export function parseManifest(json: Uint8Array): ManifestFields {
  if (json.length > MANIFEST_MAX_BYTES)
    invalid(`it has ${json.length} bytes, the ceiling is ${MANIFEST_MAX_BYTES}`);
  return checkFields(parseJson(json.slice()));
}

/**
 * The file with the manifest behind it. `sha256` is of `bytes`; `abi` is this tree's contract unless named.
 * The manifest is not checked against the supported versions, so that test guests can carry others.
 * @throws SluiceError SLUICE_MANIFEST_INVALID if it already has a manifest or the new one is too large
 */
export function appendManifest(
  bytes: Uint8Array,
  manifest: Omit<ManifestFields, 'abi'> & { readonly abi?: string },
  sha256: string,
): Uint8Array {
  for (const section of iterateSections(bytes)) {
    if (section.name === MANIFEST_SECTION) invalid('the file already carries one');
  }
  const { name, version, abi = CONTRACT_VERSION, ...rest } = manifest;
  const encoder = new TextEncoder();
  const json = encoder.encode(JSON.stringify({ name, version, abi, ...rest, sha256 }));
  if (json.length > MANIFEST_MAX_BYTES)
    invalid(`it has ${json.length} bytes, the ceiling is ${MANIFEST_MAX_BYTES}`);
  const label = encoder.encode(MANIFEST_SECTION);
  const head = [...writeU32(label.length), ...label];
  const section = [0, ...writeU32(head.length + json.length), ...head];
  const out = new Uint8Array(bytes.length + section.length + json.length);
  out.set(bytes);
  out.set(section, bytes.length);
  out.set(json, bytes.length + section.length);
  return out;
}

function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    return invalid(`it is not JSON in UTF-8: ${(error as Error).message}`);
  }
}

function invalid(why: string): never {
  throw new SluiceError('SLUICE_MANIFEST_INVALID', `manifest: ${why}`);
}
