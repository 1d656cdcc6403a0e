import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { LIMITS, SluiceError } from '../../runtime/index.js';

/** Without blocking on a fifo. A path has no links left in it: one that is there now was put there since. */
const HOW = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A file of a watched folder as a look found it. */
export interface Found {
  /** Where it really is: links are resolved. */
  readonly path: string;
  /** Changes when the content may have changed. */
  readonly stamp: string;
  /** Bytes. */
  readonly size: number;
  /** Last change of content or place, milliseconds since 1970 by the clock of the file system. */
  readonly changedMs: number;
}

/**
 * Undefined: not there, or gone between the listing and the look; an error: it is there and cannot be used. A file that
 * is no link is not opened for that: each call is a way to another thread and back, and a look is made of many.
 * @param root the folder, links resolved
 * @param name of the file, from there
 */
export async function lookAtFile(root: string, name: string): Promise<Found | SluiceError | undefined> {
  try {
    const here = join(root, name);
    const stats = await lstat(here, { bigint: true });
    // What lies in a folder of that folder may be behind a link, too.
    if (stats.isSymbolicLink() || dirname(here) !== root) return await lookBehind(root, name);
    mustBeRegular(name, stats);
    return foundAs(here, stats);
  } catch (thrown) {
    return isGone(thrown) ? undefined : asRefusal(name, thrown);
  }
}

/** Links are followed only where they end inside the folder. */
async function lookBehind(root: string, name: string): Promise<Found> {
  const path = await realpath(join(root, name));
  if (!isInside(root, path)) throw leadsOut(name);
  const { handle, stats } = await openRegular(path, name);
  await using _ = handle;
  if (dirname(path) !== root) await mustBeInside(root, name, handle);
  return foundAs(path, stats);
}

function foundAs(path: string, stats: BigIntStats): Found {
  const { mtimeMs, ctimeMs, size } = stats;
  const changedMs = Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
  return { path, stamp: stampOf(stats), size: Number(size), changedMs };
}

/**
 * The bytes of a file, in shared memory, so that all sandboxes that run it hold one copy; undefined if it
 * is being changed, or gone: what counts is that behind the reading it is the file that the look has found, unchanged.
 * @throws SluiceError SLUICE_MODULE_UNREADABLE, SLUICE_MODULE_TOO_LARGE
 */
export async function readFound(name: string, { path, stamp, size }: Found): Promise<Uint8Array | undefined> {
  if (size > LIMITS.file) {
    throw new SluiceError('SLUICE_MODULE_TOO_LARGE', `${name}: ${size} bytes, the ceiling is ${LIMITS.file}`);
  }
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, HOW);
    const bytes = await readWhole(handle, size);
    return stampOf(await handle.stat({ bigint: true })) === stamp ? bytes : undefined;
  } catch (thrown) {
    // Something else has its name by now (a link, a fifo): the next look says what.
    const now = await lstat(path, { bigint: true }).catch(() => undefined);
    if (now === undefined || stampOf(now) !== stamp) return undefined;
    throw asRefusal(name, thrown);
  } finally {
    // It was only read, so nobody has to wait for that.
    handle?.close().catch(() => {});
  }
}

/** The text of a small file; undefined as above. The caller has looked at `found.size`. */
export async function readFoundText(name: string, found: Found): Promise<string | undefined> {
  const bytes = await readFound(name, found);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer(size));
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return bytes.subarray(0, at);
    at += bytesRead;
  }
  return bytes;
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}/${ino}/${size}/${mtimeNs}/${ctimeNs}`;
}

function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function leadsOut(name: string): SluiceError {
  return new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is a link that leads out of its folder`);
}

/**
 * A folder on the way may have become a link since the path was resolved; where the system can tell (Linux), what is
 * open is asked for.
 */
async function mustBeInside(root: string, name: string, { fd }: FileHandle): Promise<void> {
  const path = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
  if (path === undefined || isInside(root, path)) return;
  throw leadsOut(name);
}

/** Refuses what is not a regular file. */
async function openRegular(path: string, name: string): Promise<{ handle: FileHandle; stats: BigIntStats }> {
  const handle = await open(path, HOW);
  try {
    const stats = await handle.stat({ bigint: true });
    mustBeRegular(name, stats);
    return { handle, stats };
  } catch (thrown) {
    await handle.close();
    throw thrown;
  }
}

function mustBeRegular(name: string, stats: BigIntStats): void {
  if (!stats.isFile()) throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is not a regular file`);
}

export function isGone(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

function asRefusal(name: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError('SLUICE_MODULE_UNREADABLE', `${name}: ${why}`, { cause: thrown });
}
