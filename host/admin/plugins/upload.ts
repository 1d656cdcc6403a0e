import { createHash, randomBytes } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Manifest, readManifest, SluiceError } from '../../../runtime/index.js';
import { decoded, drained } from '../server/body.js';
import { removeFile } from './files.js';

/** Files that are on their way in or kept to be put back: dotfiles, which the catalogue does not look at. */
const TEMPORARY = '.sluice-';

/** A body that has arrived: whole, on the disk, and not yet under a name that the catalogue looks at. */
export interface Upload {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A name in the plugin folder that nothing looks at. */
export function temporaryIn(folder: string): string {
  return join(folder, `${TEMPORARY}${randomBytes(8).toString('hex')}`);
}

/** What a gateway that was killed has left behind. */
export async function removeTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (name.startsWith(TEMPORARY)) await removeFile(join(folder, name));
}

/** A body as it comes in. */
export interface Incoming {
  readonly stream: Readable;
  /** Its length as it is sent, if the client has told it. */
  readonly announced: number | undefined;
  /** Content-Encoding. */
  readonly coding: string | undefined;
}

/**
 * Writes a body to a temporary file as it comes, its coding undone, and syncs it.
 * @param most bytes that it may have when it is decoded
 * @throws SluiceError SLUICE_MODULE_TOO_LARGE as soon as it is; SLUICE_ADMIN_REQUEST if it ends early;
 *   SLUICE_ADMIN_ENCODING; SLUICE_PLUGIN_FOLDER; SLUICE_ADMIN_STORE; nothing is left of it then
 */
export async function receive(
  { stream, announced, coding }: Incoming,
  folder: string,
  most: number,
): Promise<Upload> {
  if (announced !== undefined && announced > most) {
    await drained(stream);
    throw tooLarge(`${announced} bytes`, most);
  }
  const path = temporaryIn(folder);
  try {
    await using handle = await inFolder(folder, () => open(path, 'wx', 0o644));
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of decoded(stream, coding)) {
      size += chunk.length;
      if (size > most) throw tooLarge('more', most);
      chunks.push(chunk);
      await stored(() => handle.writeFile(chunk));
    }
    await stored(() => handle.sync());
    return { path, bytes: Buffer.concat(chunks) };
  } catch (thrown) {
    await removeFile(path);
    await drained(stream);
    throw thrown;
  }
}

/**
 * Looks at what can be known without running it.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, _MALFORMED, _HASH; SLUICE_MANIFEST_*; SLUICE_ABI_UNSUPPORTED;
 *   SLUICE_ADMIN_NAME
 */
export function checkUpload(name: string, bytes: Uint8Array): Manifest {
  const found = readManifest(bytes);
  if (found === undefined) {
    throw new SluiceError('SLUICE_MANIFEST_MISSING', 'the body carries no sluice:manifest section');
  }
  const { manifest, end } = found;
  const sha256 = createHash('sha256').update(bytes.subarray(0, end)).digest('hex');
  if (sha256 !== manifest.sha256) {
    throw new SluiceError(
      'SLUICE_MODULE_HASH',
      `the code has the SHA-256 ${sha256}, its manifest says ${manifest.sha256}`,
    );
  }
  if (manifest.name === name) return manifest;
  throw new SluiceError('SLUICE_ADMIN_NAME', `the manifest says ${manifest.name}, the path says ${name}`);
}

/** @throws SluiceError SLUICE_ADMIN_STORE instead of what the system says */
export async function stored<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError('SLUICE_ADMIN_STORE', (thrown as Error).message, { cause: thrown });
  }
}

/** Makes a file there. @throws SluiceError SLUICE_PLUGIN_FOLDER if the folder is not; SLUICE_ADMIN_STORE */
export function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return stored(async () => {
    try {
      return await work();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
      throw new SluiceError('SLUICE_PLUGIN_FOLDER', `the plugin folder ${folder} is gone`, { cause: thrown });
    }
  });
}

function tooLarge(what: string, most: number): SluiceError {
  return new SluiceError('SLUICE_MODULE_TOO_LARGE', `the body has ${what}, admin.maxUpload is ${most}`);
}
