import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../../runtime/index.js';
import { signaturesOf } from '../../plugins/folder.js';
import { lookAtFile } from '../../plugins/found.js';
import { readFoundSignatures } from '../../plugins/signing/signature-file.js';
import { formatSignatures, type Signature } from '../../plugins/signing/signature-text.js';
import { moveInto, removeFile, writeSynced } from './files.js';
import { temporaryIn } from './upload.js';

/** The signatures beside a file of the plugin folder; none as well where they cannot be read. */
export async function signaturesBeside(folder: string, file: string): Promise<readonly Signature[]> {
  const name = signaturesOf(file);
  const found = await readFoundSignatures(name, await lookAtFile(await realpath(folder), name));
  return found === undefined || found instanceof SluiceError ? [] : found;
}

/**
 * Gives a file of the plugin folder other bytes and other signatures. Whenever it is interrupted, the signatures of
 * what is there are there: those of both stand beside it while one takes the other's place.
 * @param temporary has the bytes; gone afterwards
 */
export async function replaceSigned(
  folder: string,
  file: string,
  temporary: string,
  signatures: readonly Signature[],
): Promise<void> {
  const before = await signaturesBeside(folder, file);
  if (before.length + signatures.length > 0) await put(folder, file, [...signatures, ...before]);
  await moveInto(temporary, join(folder, file));
  if (signatures.length > 0) await put(folder, file, signatures);
  else await removeFile(join(folder, signaturesOf(file)));
}

/** Takes a file out of the plugin folder, and its signatures. */
export async function removeSigned(folder: string, file: string): Promise<void> {
  await removeFile(join(folder, file));
  await removeFile(join(folder, signaturesOf(file)));
}

async function put(folder: string, file: string, signatures: readonly Signature[]): Promise<void> {
  const temporary = temporaryIn(folder);
  await writeSynced(temporary, Buffer.from(formatSignatures(signatures)));
  await moveInto(temporary, join(folder, signaturesOf(file)));
}
