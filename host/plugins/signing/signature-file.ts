import { open } from 'node:fs/promises';
import { faultOf, SluiceError } from '../../../runtime/index.js';
import { type Found, isGone, readFoundText } from '../found.js';
import { parseSignatures, SIGNATURE_TEXT_MAX_BYTES } from './signature-text.js';
import type { FoundSignatures } from './vouch.js';

/**
 * The signatures in a NAME.wasm.sig that a look has found; undefined while it is being changed.
 * @param found undefined: there is none
 */
export async function readFoundSignatures(
  name: string,
  found: Found | SluiceError | undefined,
): Promise<FoundSignatures | undefined> {
  if (found === undefined) return [];
  if (found instanceof SluiceError) return unusable(found.message, found);
  if (found.size > SIGNATURE_TEXT_MAX_BYTES) return tooLarge(name);
  try {
    const text = await readFoundText(name, found);
    return text === undefined ? undefined : parsed(name, text);
  } catch (thrown) {
    return unusable(faultOf(thrown).message, thrown);
  }
}

/** The same by the name of a file, on the command line. */
export async function readSignatures(file: string): Promise<FoundSignatures> {
  try {
    await using handle = await open(file, 'r');
    if ((await handle.stat()).size > SIGNATURE_TEXT_MAX_BYTES) return tooLarge(file);
    return parsed(file, await handle.readFile('utf8'));
  } catch (thrown) {
    return isGone(thrown) ? [] : unusable(`${file}: ${(thrown as Error).message}`, thrown);
  }
}

function parsed(name: string, text: string): FoundSignatures {
  try {
    return parseSignatures(text);
  } catch (thrown) {
    return unusable(`${name}: ${faultOf(thrown).message}`, thrown);
  }
}

function tooLarge(name: string): SluiceError {
  return unusable(`${name} has more than ${SIGNATURE_TEXT_MAX_BYTES} bytes`, undefined);
}

function unusable(why: string, cause: unknown): SluiceError {
  return new SluiceError('SLUICE_SIGNATURE_INVALID', `cannot be verified: ${why}`, { cause });
}
