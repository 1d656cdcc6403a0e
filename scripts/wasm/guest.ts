/** A guest as its author describes it: a folder with plugin.json, or a row of test/guests/guests.json. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CONTRACT_VERSION, MANIFEST_SECTION, type ManifestFields } from '../../runtime/index.js';

type Vector = NonNullable<ManifestFields['vectors']>[number];

/** plugin.json: the manifest's fields and how to build the file. */
export interface GuestDescription {
  readonly name: string;
  readonly version: string;
  readonly kind: ManifestFields['kind'];
  readonly accepts: readonly string[];
  readonly limits?: { readonly memory?: number; readonly deadline?: number; readonly output?: number };
  readonly description?: string;
  /** Only for guests that have to be refused. */
  readonly abi?: string;
  /** Source: .ts (AssemblyScript), .cpp, .c or .wat, relative to the description. */
  readonly entry: string;
  /** True: made a component of its world (portable path). */
  readonly component?: boolean;
  /** Preprocessor definitions for C and C++. */
  readonly defines?: readonly string[];
  /** Further arguments for the linker of C and C++. */
  readonly link?: readonly string[];
  /** False: no manifest goes into the file. */
  readonly pack?: boolean;
}

/** A guest with everything resolved, as plain data: it goes to the compilers' process. */
export interface GuestJob {
  readonly description: GuestDescription;
  /** The folder that `entry` is relative to. */
  readonly folder: string;
  /** The root of the Sluice package: headers, SDK, plugin.wit. */
  readonly root: string;
  readonly out: string;
  /** SHA-256 over everything that the file is made from, lower-case hex. */
  readonly source: string;
  readonly vectors: readonly Vector[];
}

/** @param index file with the description(s): plugin.json or guests.json */
export function resolveGuest(
  root: string,
  index: string,
  description: GuestDescription,
  out: string,
): GuestJob {
  const folder = dirname(index);
  const vectors = selfTest(folder);
  return { description, folder, root, out, vectors, source: sourceHash(root, folder, description, vectors) };
}

export function readDescription(index: string): GuestDescription {
  return JSON.parse(readFileSync(index, 'utf8')) as GuestDescription;
}

/** The vectors of vectors.json that are marked to go into the manifest. */
function selfTest(folder: string): readonly Vector[] {
  let text: string;
  try {
    text = readFileSync(join(folder, 'vectors.json'), 'utf8');
  } catch {
    return [];
  }
  const all = JSON.parse(text) as readonly (Vector & { readonly selfTest?: boolean })[];
  return all.filter(vector => vector.selfTest === true).map(({ selfTest: _mark, ...vector }) => vector);
}

function sourceHash(
  root: string,
  folder: string,
  description: GuestDescription,
  vectors: readonly Vector[],
): string {
  const hash = createHash('sha256');
  const header = join(root, 'cpp-kernels/include/sluice.h');
  const isAs = description.entry.endsWith('.ts');
  const files = [
    ...sourcesUnder(dirname(join(folder, description.entry)), description.entry),
    ...(isAs ? sourcesUnder(join(root, 'plugins-wasm/sdk-as/assembly'), '.ts') : [header]),
    join(root, 'runtime/plugin.wit'),
    ...sourcesUnder(join(root, 'scripts/wasm'), '.ts'),
  ];
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  hash.update(JSON.stringify([CONTRACT_VERSION, MANIFEST_SECTION, description, vectors]));
  return hash.digest('hex');
}

/** All files of a folder that end as the entry does; C and C++ may include each other. */
function sourcesUnder(folder: string, entry: string): string[] {
  const ending = /\.(?:cpp|c|h)$/.test(entry)
    ? /\.(?:cpp|c|h)$/
    : entry.endsWith('.wat')
      ? /\.wat$/
      : /\.ts$/;
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => ending.test(name))
    .map(name => join(folder, name))
    .filter(file => statSync(file).isFile())
    .sort();
}
