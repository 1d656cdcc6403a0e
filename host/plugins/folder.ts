import { readdir, realpath } from 'node:fs/promises';
import { SluiceError } from '../../runtime/index.js';
import { type Found, isGone, lookAtFile } from './found.js';
import { withoutOtherBuild } from './simd-build.js';

/**
 * A module, and what lies beside its NAME.wasm: the manifest NAME.json and the signatures NAME.wasm.sig, if they do;
 * an error where one cannot be used.
 */
export interface FoundModule extends Found {
  readonly sidecar: Found | SluiceError | undefined;
  readonly signatures: Found | SluiceError | undefined;
}

/** Names that are looked at: no dotfiles, nothing that an editor or a copy leaves behind. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.wasm$/;

/**
 * The .wasm files of a folder, by name; undefined: there is no folder.
 * @throws SluiceError SLUICE_PLUGIN_FOLDER if there is something that cannot be read as a folder
 */
export async function lookAt(folder: string): Promise<Map<string, FoundModule | SluiceError> | undefined> {
  const found = new Map<string, FoundModule | SluiceError>();
  let root: string;
  let names: string[];
  try {
    // Each call is a way to another thread and back: what need not wait for another does not.
    const [path, all] = await Promise.all([realpath(folder), readdir(folder)]);
    [root, names] = [path, all.sort()];
  } catch (thrown) {
    if (isGone(thrown)) return undefined;
    throw new SluiceError('SLUICE_PLUGIN_FOLDER', (thrown as Error).message, { cause: thrown });
  }
  const all = new Set(names);
  const beside = async (name: string) => (all.has(name) ? lookAtFile(root, name) : undefined);
  const look = async (name: string) => {
    const parts = [lookAtFile(root, name), beside(sidecarOf(name)), beside(signaturesOf(name))] as const;
    return { name, parts: await Promise.all(parts) };
  };
  const modules = withoutOtherBuild(names.filter(name => NAME.test(name)));
  for (const { name, parts } of await Promise.all(modules.map(look))) {
    const [module, sidecar, signatures] = parts;
    if (module === undefined) continue;
    found.set(name, module instanceof SluiceError ? module : { ...module, sidecar, signatures });
  }
  return found;
}

export function sidecarOf(name: string): string {
  return name.replace(/\.wasm$/, '.json');
}

export function signaturesOf(name: string): string {
  return `${name}.sig`;
}
