import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a new file (one of that name is replaced) and waits until it is on the disk. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(path, 'w', 0o644);
  await handle.writeFile(bytes);
  await handle.sync();
}

/** Gives a whole file its name, also after a loss of power: the folder is synced too. */
export async function moveInto(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Some file systems do not sync folders; the file itself is on the disk.
  }
}

/** True: it is gone; false: it was not there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw thrown;
  }
}
