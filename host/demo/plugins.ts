import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../runtime/index.js';

/** The one that is upgraded and broken. */
export const PLUGIN = 'modbus-json';
/** All that the demo's routes name; `prestart` in package.json builds these and no others. */
export const PLUGINS = [PLUGIN, 'features', 'block-json'];

/** Copies them from where they are built into the demo's plugin folder. @throws SluiceError SLUICE_MODULE_UNREADABLE */
export async function copyPlugins(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of PLUGINS) {
    const built = fileURLToPath(new URL(`../../plugins/${name}.wasm`, import.meta.url));
    try {
      await copyFile(built, join(folder, `${name}.wasm`));
    } catch (thrown) {
      throw new SluiceError(
        'SLUICE_MODULE_UNREADABLE',
        `${built}: ${(thrown as Error).message}; run npm run build:wasm -- ${PLUGINS.join(' ')}`,
      );
    }
  }
}
