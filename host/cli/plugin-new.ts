import { join, relative, sep } from 'node:path';
import { SluiceError } from '../../runtime/index.js';
import { scaffold } from '../plugin-tools/scaffold.js';
import { EXIT, reportFailure } from './exit.js';

/** Makes a new plugin from the template of a language. */
export async function newPlugin(
  name: string,
  options: { lang: string; dir?: string; json?: boolean },
): Promise<number> {
  const folder = options.dir ?? name;
  let files: string[];
  try {
    files = await scaffold(name, options.lang, folder);
  } catch (thrown) {
    // These two are about what was typed, like any other wrong argument.
    const typed = ['SLUICE_PLUGIN_NAME', 'SLUICE_PLUGIN_LANGUAGE'];
    if (!(thrown instanceof SluiceError) || !typed.includes(thrown.code)) throw thrown;
    reportFailure(thrown);
    return EXIT.usage;
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ name, language: options.lang, folder, files })}\n`);
    return EXIT.ok;
  }
  const shown = files.map(file => `  ${join(folder, file)}`).join('\n');
  process.stdout.write(`${shown}\n\nNext:\n  cd ${shell(folder)}\n  npm install && npm test\n`);
  return EXIT.ok;
}

/** A path as it can be pasted into a shell. */
function shell(folder: string): string {
  const path = relative('.', folder).split(sep).join('/') || '.';
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
