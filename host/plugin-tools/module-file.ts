import { createHash } from 'node:crypto';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LIMITS, SluiceError } from '../../runtime/index.js';

/**
 * The bytes of a module.
 * @throws SluiceError SLUICE_MODULE_UNREADABLE, SLUICE_MODULE_TOO_LARGE
 */
export async function readModule(file: string): Promise<Buffer> {
  try {
    await using handle = await open(file, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('is not a regular file');
    const { size } = stats;
    if (size > LIMITS.file) {
      throw new SluiceError(
        'SLUICE_MODULE_TOO_LARGE',
        `${file}: ${size} bytes, the ceiling is ${LIMITS.file}`,
      );
    }
    return await handle.readFile();
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${file}: ${why}`, { cause: thrown });
  }
}

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Writes a whole file or none: beside it under a name that a watched folder does not look at, then renamed.
 * @throws SluiceError SLUICE_MODULE_UNREADABLE
 */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const draft = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    await writeFile(draft, bytes);
    await rename(draft, file);
  } catch (thrown) {
    await rm(draft, { force: true });
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${file}: cannot be written: ${why}`, {
      cause: thrown,
    });
  }
}
