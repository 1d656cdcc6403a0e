import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SluiceError } from '../../runtime/index.js';
import { ownSpecifier, PACKAGE_ROOT, testedVersion } from './package-origin.js';

/** One folder a language. */
const TEMPLATES = join(PACKAGE_ROOT, 'plugins-wasm/templates');
/** As in the manifest (runtime/manifest-fields.ts). */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** npm leaves out or renames a .gitignore when it packs; so the template's has no dot. */
const RENAMED: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** Languages that there is a scaffold for. */
async function languages(): Promise<string[]> {
  return (await readdir(TEMPLATES)).sort();
}

/**
 * Writes a plugin to begin with into `folder`. Gives the files, relative to it.
 * @throws SluiceError SLUICE_PLUGIN_NAME, SLUICE_PLUGIN_LANGUAGE, SLUICE_PLUGIN_EXISTS
 */
export async function scaffold(name: string, language: string, folder: string): Promise<string[]> {
  if (!NAME.test(name)) {
    throw new SluiceError('SLUICE_PLUGIN_NAME', `${JSON.stringify(name)} does not match ${NAME.source}`);
  }
  const known = await languages();
  if (!known.includes(language)) {
    throw new SluiceError(
      'SLUICE_PLUGIN_LANGUAGE',
      `there is no scaffold for ${JSON.stringify(language)}; there is one for ${known.join(', ')}`,
    );
  }
  const template = join(TEMPLATES, language);
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(template.length + 1));
  await emptyFolder(folder);
  const fill = filler(name, folder);
  const written: string[] = [];
  for (const file of files) {
    const to = join(dirname(file), RENAMED[basename(file)] ?? basename(file));
    await mkdir(join(folder, dirname(to)), { recursive: true });
    await writeFile(join(folder, to), fill(await readFile(join(template, file), 'utf8')), { flag: 'wx' });
    written.push(to);
  }
  return written.sort();
}

async function emptyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw new SluiceError('SLUICE_PLUGIN_EXISTS', `${folder}: ${(cause as Error).message}`, { cause });
  }
  throw new SluiceError('SLUICE_PLUGIN_EXISTS', `${folder} is not empty`);
}

/** Fills in the blanks of a template: `{{name}}` and the like. */
function filler(name: string, folder: string): (text: string) => string {
  const blanks: Readonly<Record<string, () => string>> = {
    name: () => name,
    sluice: () => ownSpecifier(folder),
    node: () => testedVersion('node'),
    assemblyscript: () => testedVersion('assemblyscript'),
  };
  return text =>
    text.replace(/\{\{(\w+)\}\}/g, (_all, blank: string) => {
      const value = blanks[blank];
      if (value === undefined) throw new Error(`the template has an unknown blank ${blank}`);
      return value();
    });
}
