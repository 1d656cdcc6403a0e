import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LIMITS, SluiceError } from '../../runtime/index.js';
import { withoutOtherBuild } from './simd-build.js';

/** A file of the plugin folder as a look found it. */
export interface Found {
  /** Where it really is: links are resolved. */
  readonly path: string;
  /** Changes when the content may have changed. */
  readonly stamp: string;
  /** Last change of content or place, milliseconds since 1970 by the clock of the file system. */
  readonly changedMs: number;
}

/** A module, and the NAME.json beside its NAME.wasm if there is one; an error where one cannot be used. */
export interface FoundModule extends Found {
  readonly sidecar: Found | SluiceError | undefined;
}

/** Names that are looked at: no dotfiles, nothing that an editor or a copy leaves behind. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.wasm$/;

/**
 * The .wasm files of a folder, by name. A folder that is not there is empty.
 * @throws SluiceError SLUICE_PLUGIN_FOLDER if there is something that cannot be read as a folder
 */
export async function lookAt(folder: string): Promise<Map<string, FoundModule | SluiceError>> {
  const found = new Map<string, FoundModule | SluiceError>();
  let root: string;
  let names: string[];
  try {
    root = await realpath(folder);
    names = (await readdir(root)).sort();
  } catch (thrown) {
    if (isGone(thrown)) return found;
    throw new SluiceError('SLUICE_PLUGIN_FOLDER', (thrown as Error).message, { cause: thrown });
  }
  const all = new Set(names);
  for (const name of withoutOtherBuild(names.filter(name => NAME.test(name)))) {
    const module = await lookAtFile(root, name);
    if (module === undefined) continue;
    const json = sidecarOf(name);
    const sidecar = all.has(json) ? await lookAtFile(root, json) : undefined;
    found.set(name, module instanceof SluiceError ? module : { ...module, sidecar });
  }
  return found;
}

export function sidecarOf(name: string): string {
  return name.replace(/\.wasm$/, '.json');
}

/**
 * The bytes of a file, in shared memory, so that all sandboxes that run it hold one copy; undefined if it
 * is being changed, or gone.
 * @throws SluiceError SLUICE_MODULE_UNREADABLE, SLUICE_MODULE_TOO_LARGE
 */
export async function readFound(name: string, found: Found): Promise<Uint8Array | undefined> {
  try {
    await using handle = await openRegular(found.path, name);
    const before = await handle.stat({ bigint: true });
    if (stampOf(before) !== found.stamp) return undefined;
    if (before.size > LIMITS.file) {
      throw new SluiceError(
        'SLUICE_MODULE_TOO_LARGE',
        `${name}: ${before.size} bytes, the ceiling is ${LIMITS.file}`,
      );
    }
    const bytes = await readWhole(handle, Number(before.size));
    return stampOf(await handle.stat({ bigint: true })) === found.stamp ? bytes : undefined;
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw asRefusal(name, thrown);
  }
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

/** Undefined: gone between the listing and the look. */
async function lookAtFile(root: string, name: string): Promise<Found | SluiceError | undefined> {
  try {
    const path = await resolveInside(root, name);
    await using handle = await openRegular(path, name);
    const stats = await handle.stat({ bigint: true });
    const { mtimeMs, ctimeMs } = stats;
    return { path, stamp: stampOf(stats), changedMs: Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) };
  } catch (thrown) {
    return isGone(thrown) ? undefined : asRefusal(name, thrown);
  }
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}/${ino}/${size}/${mtimeNs}/${ctimeNs}`;
}

/** Links are followed only where they end inside the folder. */
async function resolveInside(root: string, name: string): Promise<string> {
  const path = await realpath(join(root, name));
  if (path.startsWith(root.endsWith(sep) ? root : root + sep)) return path;
  throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is a link that leads out of the plugin folder`);
}

/** Opens without blocking on a fifo, and refuses what is not a regular file. */
async function openRegular(path: string, name: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is not a regular file`);
}

function isGone(thrown: unknown): boolean {
  return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
}

function asRefusal(name: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError('SLUICE_MODULE_UNREADABLE', `${name}: ${why}`, { cause: thrown });
}
