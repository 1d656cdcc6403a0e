import { createHash, randomBytes } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Manifest, readManifest, SluiceError } from '../../runtime/index.js';
import { removeFile } from './files.js';

/** Files that are on their way in or kept to be put back: dotfiles, which the catalogue does not look at. */
const TEMPORARY = '.sluice-';

/** A client that is refused gets this long to send the rest. */
const DRAIN_MS = 10_000;

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

/**
 * Writes a body to a temporary file as it comes, and syncs it.
 * @param announced its length, if the client has told it
 * @throws SluiceError SLUICE_MODULE_TOO_LARGE as soon as it is; SLUICE_ADMIN_REQUEST if it ends early;
 *   SLUICE_ADMIN_STORE; nothing is left of it then
 */
export async function receive(
  body: Readable,
  folder: string,
  most: number,
  announced: number | undefined,
): Promise<Upload> {
  if (announced !== undefined && announced > most) {
    await drained(body);
    throw tooLarge(`${announced} bytes`, most);
  }
  const path = temporaryIn(folder);
  try {
    await using handle = await stored(() => open(path, 'wx', 0o644));
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of arriving(body)) {
      size += chunk.length;
      if (size > most) throw tooLarge('more', most);
      chunks.push(chunk);
      await stored(() => handle.writeFile(chunk));
    }
    await stored(() => handle.sync());
    return { path, bytes: Buffer.concat(chunks) };
  } catch (thrown) {
    await removeFile(path);
    await drained(body);
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

/**
 * Reads on and forgets it: many clients read an answer only once they have sent all, and a connection that is
 * closed on them before takes the answer with it.
 */
async function drained(body: Readable): Promise<void> {
  body.resume();
  if (body.readableEnded || body.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  for (const event of ['end', 'close', 'error']) body.once(event, () => resolve());
  await promise;
  clearTimeout(timer);
}

async function* arriving(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (thrown) {
    throw new SluiceError('SLUICE_ADMIN_REQUEST', `the body ended early: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
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

function tooLarge(what: string, most: number): SluiceError {
  return new SluiceError('SLUICE_MODULE_TOO_LARGE', `the body has ${what}, admin.maxUpload is ${most}`);
}
