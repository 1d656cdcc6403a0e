/** The AssemblyScript compiler of a plugin, and its SDK under the name `sluice/as`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toolMissing } from './toolchain.js';

type Asc = typeof import('assemblyscript/asc').default;

/**
 * The compiler that the plugin's own folder (or one above it) has installed, else the one beside this package.
 * @throws SluiceError SLUICE_PLUGIN_TOOLS
 */
export async function loadAsc(folder: string): Promise<Asc> {
  const own = inModules(resolve(folder));
  const specifier = own === undefined ? 'assemblyscript/asc' : pathToFileURL(own).href;
  try {
    const module = (await import(specifier)) as { default: Asc };
    return module.default;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw thrown;
    throw toolMissing(`${folder}: the package assemblyscript is not installed`, 'assemblyscript');
  }
}

function inModules(folder: string): string | undefined {
  const file = join(folder, 'node_modules/assemblyscript/dist/asc.js');
  if (existsSync(file)) return file;
  return dirname(folder) === folder ? undefined : inModules(dirname(folder));
}

const SDK = /(?:^|[\\/])node_modules[\\/]sluice[\\/]as[\\/](.+\.ts)$/;

/**
 * How the compiler reads a file: `import ... from "sluice/as"` is the SDK of the package that builds, wherever the
 * plugin lies.
 */
export function sdkReader(root: string): (name: string, baseDir: string) => string | null {
  return (name, baseDir) => {
    const inSdk = SDK.exec(name)?.[1];
    const file =
      inSdk === undefined ? resolve(baseDir, name) : join(root, 'plugins-wasm/sdk-as/assembly', inSdk);
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  };
}
