import { readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Root of this package: dist/host/plugin-tools/ is three below it. */
export const PACKAGE_ROOT = realpathSync(fileURLToPath(new URL('../../..', import.meta.url)));

/**
 * How a package in `folder` names the Sluice that runs: by path where it is a checkout or was installed from a file,
 * else by the range of its version.
 */
export function ownSpecifier(folder: string): string {
  const { name, version } = packageJson();
  const modules = PACKAGE_ROOT.lastIndexOf(`${sep}node_modules${sep}`);
  if (modules < 0) return fileSpecifier(folder, PACKAGE_ROOT);
  const project = PACKAGE_ROOT.slice(0, modules);
  const file = installedFrom(project, name);
  return file === undefined ? `^${version}` : fileSpecifier(folder, resolve(project, file));
}

/** The version of a tool that this package is built and tested with. */
export function testedVersion(tool: string): string {
  const version = packageJson().devDependencies?.[tool];
  if (version === undefined) throw new Error(`package.json does not name ${tool}`);
  return version;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as PackageJson;
}

/** The file or folder that npm installed the package from, by npm's own notes; undefined for a registry. */
function installedFrom(project: string, name: string): string | undefined {
  try {
    const notes = JSON.parse(readFileSync(join(project, 'node_modules/.package-lock.json'), 'utf8')) as {
      packages?: Record<string, { resolved?: string }>;
    };
    return /^file:(.+)$/.exec(notes.packages?.[`node_modules/${name}`]?.resolved ?? '')?.[1];
  } catch {
    return undefined;
  }
}

/** Relative, as npm writes it, unless the two are on different drives. */
function fileSpecifier(folder: string, target: string): string {
  const path = relative(realOf(folder), target);
  return `file:${(isAbsolute(path) ? target : path).replaceAll(sep, '/')}`;
}

/** Where a folder that may not exist yet really is. */
function realOf(folder: string): string {
  const path = resolve(folder);
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realOf(dirname(path)), path.slice(dirname(path).length));
  }
}
