import { createHash } from 'node:crypto';
import { SluiceError } from '../../runtime/index.js';
import { readPrivateKey } from '../plugin-tools/key-pair.js';
import { replaceFile } from '../plugin-tools/module-file.js';
import { readPlugin } from '../plugin-tools/plugin-file.js';
import { signaturesOf } from '../plugins/folder.js';
import { makeSignature } from '../plugins/signing/signature.js';
import { readSignatures } from '../plugins/signing/signature-file.js';
import { formatSignatures, type Signature } from '../plugins/signing/signature-text.js';
import { EXIT } from './exit.js';

/**
 * Writes FILE.sig beside each file: the signature of the whole file, its manifest included.
 * @throws SluiceError SLUICE_KEY_INVALID, SLUICE_SIGNATURE_INVALID, those of `readPlugin`
 */
export async function signPlugins(
  files: readonly string[],
  options: { key: string; add?: boolean; json?: boolean },
): Promise<number> {
  const { key, open } = await readPrivateKey(options.key);
  if (open) process.stderr.write(`sluice: others may read ${options.key}: chmod 600 ${options.key}\n`);
  for (const file of files) {
    const { bytes, manifest } = await readPlugin(file);
    const hash = createHash('sha256').update(bytes).digest();
    const signature = makeSignature(hash, key);
    const out = signaturesOf(file);
    const others = options.add ? await present(out) : [];
    const all = [...others.filter(other => other.key !== signature.key), signature];
    await replaceFile(out, Buffer.from(formatSignatures(all)));
    const { name, version } = manifest;
    const said = { file, signature: out, key: signature.key, name, version, sha256: hash.toString('hex') };
    process.stdout.write(
      options.json
        ? `${JSON.stringify(said)}\n`
        : `${out}: ${name} ${version} is signed with the key ${signature.key}${others.length === 0 ? '' : `, ${all.length} signatures`}\n`,
    );
  }
  return EXIT.ok;
}

async function present(file: string): Promise<readonly Signature[]> {
  const found = await readSignatures(file);
  if (found instanceof SluiceError) throw found;
  return found;
}
