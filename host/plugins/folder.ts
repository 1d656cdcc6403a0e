import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LIMITS, SluiceError } from '../../runtime/index.js';

/** A file of the plugin folder as a look found it. */
export interface Found {
  readonly file: string;
  /** Changes when the content may have changed. */
  readonly stamp: string;
  /** Milliseconds since 1970. */
  readonly changedMs: number;
  readonly size: number;
}

/** Names that are looked at: no dotfiles, nothing that an editor or a copy leaves behind. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.wasm$/;

/** The .wasm files of a folder, by name. A folder that is not there is empty. */
export async function lookAt(folder: string): Promise<Map<string, Found | SluiceError>> {
  const found = new Map<string, Found | SluiceError>();
  let root: string;
  let names: string[];
  try {
    root = await realpath(folder);
    names = (await readdir(root)).filter(name => NAME.test(name)).sort();
  } catch {
    return found;
  }
  for (const name of names) {
    try {
      const file = await resolveInside(root, name);
      await using handle = await openRegular(file, name);
      const { ino, size, mtimeNs, ctimeNs, mtimeMs } = { ...(await handle.stat({ bigint: true })) };
      const stamp = `${ino}/${size}/${mtimeNs}/${ctimeNs}`;
      found.set(name, { file, stamp, changedMs: Number(mtimeMs), size: Number(size) });
    } catch (thrown) {
      // Gone between the listing and the look: not there.
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') continue;
      found.set(name, asRefusal(name, thrown));
    }
  }
  return found;
}

/** The bytes of a file. @throws SluiceError SLUICE_MODULE_UNREADABLE, SLUICE_MODULE_TOO_LARGE */
export async function readFound(name: string, file: string): Promise<Uint8Array> {
  try {
    await using handle = await openRegular(file, name);
    const { size } = await handle.stat();
    if (size > LIMITS.file) {
      throw new SluiceError(
        'SLUICE_MODULE_TOO_LARGE',
        `${name}: ${size} bytes, the ceiling is ${LIMITS.file}`,
      );
    }
    // Shared, so that all sandboxes that run it hold one copy.
    const shared = new Uint8Array(new SharedArrayBuffer(size));
    let at = 0;
    while (at < size) {
      const { bytesRead } = await handle.read(shared, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return shared.subarray(0, at);
  } catch (thrown) {
    throw asRefusal(name, thrown);
  }
}

/** Links are followed only where they end inside the folder. */
async function resolveInside(root: string, name: string): Promise<string> {
  const file = await realpath(join(root, name));
  if (file.startsWith(root + sep)) return file;
  throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is a link that leads out of the plugin folder`);
}

/** Opens without blocking on a fifo, and refuses what is not a regular file. */
async function openRegular(file: string, name: string) {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${name} is not a regular file`);
}

function asRefusal(name: string, thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError('SLUICE_MODULE_UNREADABLE', `${name}: ${why}`, { cause: thrown });
}
