import { open } from 'node:fs/promises';
import { SluiceError } from '../../runtime/index.js';

/** Larger than any configuration that a person keeps; YAML of this size is read in under five seconds. */
export const LARGEST_CONFIG = 1024 * 1024;

/**
 * A text file as UTF-8, without a byte order mark. Pipes are read too (`--config <(make-config)`).
 * @throws SluiceError SLUICE_CONFIG_UNREADABLE, SLUICE_CONFIG_SYNTAX (not UTF-8)
 */
export async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    await using handle = await open(file, 'r');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false, end: LARGEST_CONFIG })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    if (size > LARGEST_CONFIG) {
      throw new SluiceError('SLUICE_CONFIG_UNREADABLE', `${file}: is larger than ${LARGEST_CONFIG} bytes`);
    }
    bytes = Buffer.concat(chunks);
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError('SLUICE_CONFIG_UNREADABLE', `${file}: ${whyOf(thrown)}`, { cause: thrown });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SluiceError('SLUICE_CONFIG_SYNTAX', `${file}: is not UTF-8 text`, { cause });
  }
}

function whyOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown }).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'is a folder';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read';
  return thrown instanceof Error ? thrown.message : String(thrown);
}
