import { readFile } from 'node:fs/promises';
import { appendManifest, type ManifestFields, readManifest, SluiceError } from '../../runtime/index.js';
import { readModule, replaceFile, sha256 } from '../plugin-tools/module-file.js';
import { EXIT } from './exit.js';

/**
 * Appends the manifest. The result is renamed into place, so that a watched folder sees the whole file or none.
 * @throws SluiceError SLUICE_MODULE_*, SLUICE_MANIFEST_INVALID, SLUICE_ABI_UNSUPPORTED
 */
export async function packPlugin(
  file: string,
  options: { manifest: string; out?: string; json?: boolean },
): Promise<number> {
  const bytes = await readModule(file);
  const fields = await readFields(options.manifest);
  const packed = appendManifest(bytes, fields, sha256(bytes));
  // Read back: what a gateway would refuse is not written.
  const found = readManifest(packed);
  if (found === undefined)
    throw new SluiceError('SLUICE_INTERNAL', `${file}: the manifest was not found after packing`);
  const out = options.out ?? file;
  await replaceFile(out, packed);
  const { name, version, abi, kind } = found.manifest;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ file: out, name, version, abi, kind, bytes: packed.length, sha256: found.manifest.sha256 })}\n`
      : `${out}: ${name} ${version}, ${kind} of contract ${abi}, ${packed.length} bytes\n`,
  );
  return EXIT.ok;
}

async function readFields(file: string): Promise<ManifestFields> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error('it is not a JSON object');
    // A manifest that was read from a packed file carries the hash of that one.
    const { sha256: _old, ...fields } = value as ManifestFields & { sha256?: string };
    return fields;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('SLUICE_MANIFEST_INVALID', `${file}: ${why}`, { cause: thrown });
  }
}
