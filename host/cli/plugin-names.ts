import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../../runtime/index.js';

/** Names of the plugins in a folder, best effort: manifest, else sidecar, else file name. No folder: none. */
export async function pluginNames(dir: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(dir, { withFileTypes: true });
  } catch {
    return [];
  }
  const files = entries.filter(entry => entry.name.endsWith('.wasm') && !entry.isDirectory());
  return Promise.all(files.map(entry => nameOf(join(dir, entry.name), entry.name.slice(0, -'.wasm'.length))));
}

async function nameOf(file: string, fallback: string): Promise<string> {
  try {
    const packed = readManifest(await readFile(file));
    if (packed !== undefined) return packed.manifest.name;
    const sidecar: unknown = JSON.parse(await readFile(file.replace(/\.wasm$/, '.json'), 'utf8'));
    const { name } = sidecar as { name?: unknown };
    return typeof name === 'string' ? name : fallback;
  } catch {
    // A file that cannot be read or is no plugin is refused at load, by a code of its own.
    return fallback;
  }
}
