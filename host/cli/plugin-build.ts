import { buildFolder } from '../plugin-tools/builder.js';
import { EXIT } from './exit.js';

/** Compiles and packs the plugin in `dir`. @throws SluiceError of the build */
export async function buildPlugin(dir: string, options: { out?: string; json?: boolean }): Promise<number> {
  const built = await buildFolder(dir, { out: options.out });
  process.stdout.write(
    options.json
      ? `${JSON.stringify(built)}\n`
      : `${built.out}: ${built.bytes} bytes, built in ${(built.milliseconds / 1000).toFixed(1)} s\n`,
  );
  return EXIT.ok;
}
