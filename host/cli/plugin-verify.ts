import { createHash } from 'node:crypto';
import { SluiceError } from '../../runtime/index.js';
import { readPlugin } from '../plugin-tools/plugin-file.js';
import { signaturesOf } from '../plugins/folder.js';
import { type KeyRing, readKeyRing } from '../plugins/signing/key-ring.js';
import { readSignatures } from '../plugins/signing/signature-file.js';
import { type Vouched, vouch } from '../plugins/signing/vouch.js';
import { EXIT, reportFailure } from './exit.js';

/**
 * Says of each file whether a trusted key vouches for it. Gives the exit code: 0, or 1 if one is not.
 * @throws SluiceError SLUICE_KEY_FOLDER
 */
export async function verifyPlugins(
  files: readonly string[],
  options: { keys: string; json?: boolean },
): Promise<number> {
  const ring = await readKeyRing(options.keys);
  for (const { error } of ring.problems) process.stderr.write(`sluice: ${options.keys}: ${error.message}\n`);
  if (ring.trusted.size === 0) process.stderr.write(`sluice: there is no trusted key in ${options.keys}\n`);
  let failed = false;
  for (const file of files) {
    const { ok, line } = await verify(file, ring, options.json ?? false);
    if (line !== '') process.stdout.write(line);
    failed ||= !ok;
  }
  return failed ? EXIT.failure : EXIT.ok;
}

async function verify(file: string, ring: KeyRing, json: boolean): Promise<{ ok: boolean; line: string }> {
  try {
    const { bytes, manifest } = await readPlugin(file);
    const hash = createHash('sha256').update(bytes).digest();
    const vouched = vouch(hash, await readSignatures(signaturesOf(file)), ring);
    if (vouched.state !== 'signed') throw new SluiceError(vouched.code, `${file} ${vouched.why}`);
    const { name, version } = manifest;
    const key = { key: vouched.key, keyFile: ring.trusted.get(vouched.key)?.file };
    const text = `${file}: ${name} ${version}, signed with the key ${key.key} (${key.keyFile})\n`;
    return { ok: true, line: json ? jsonOf(file, vouched, { name, version, ...key }) : text };
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const { code } = thrown;
    const message = thrown.message.startsWith(file) ? thrown.message : `${file}: ${thrown.message}`;
    if (!json) reportFailure(new SluiceError(code, message, { cause: thrown }));
    return { ok: false, line: json ? jsonOf(file, undefined, { code, message }) : '' };
  }
}

function jsonOf(file: string, vouched: Vouched | undefined, fields: object): string {
  return `${JSON.stringify({ file, ok: vouched?.state === 'signed', ...fields })}\n`;
}
