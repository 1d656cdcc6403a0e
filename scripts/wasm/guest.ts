/** A guest as its author describes it: a folder with plugin.json, or a row of test/guests/guests.json. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONTRACT_VERSION, MANIFEST_SECTION, type ManifestFields } from '../../runtime/index.js';

type Vector = NonNullable<ManifestFields['vectors']>[number];

/** plugin.json: the manifest's fields and how to build the file. */
export interface GuestDescription {
  readonly name: string;
  readonly version: string;
  readonly kind: ManifestFields['kind'];
  readonly accepts: readonly string[];
  readonly limits?: { readonly memory?: number; readonly deadline?: number; readonly output?: number };
  readonly ports?: ManifestFields['ports'];
  readonly description?: string;
  /** Only for guests that have to be refused. */
  readonly abi?: string;
  /** Name of the file, without .wasm. Absent: `name`. */
  readonly file?: string;
  /** Source: .ts (AssemblyScript), .cpp, .c or .wat, relative to the description. */
  readonly entry: string;
  /** True: made a component of its world (portable path). */
  readonly component?: boolean;
  /** Preprocessor definitions for C and C++. */
  readonly defines?: readonly string[];
  /** C and C++ may use 128-bit vectors; which ones is what the manifest asks for (true: `baseline`). */
  readonly simd?: boolean | ManifestFields['simd'];
  readonly features?: ManifestFields['features'];
  readonly imports?: ManifestFields['imports'];
  /** Which one of the plugins in a source that holds several: it is compiled once for all (cpp-kernels/plugins/all.cpp). */
  readonly verb?: string;
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
  /** True: a file that a gateway would refuse is not written. The tree has guests that have to be refused. */
  readonly check?: boolean;
}

/** The builder itself is one of the things that a file is made from: as it runs, since a package has no sources. */
const HERE = fileURLToPath(new URL('.', import.meta.url));

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

export function isOfC({ description: { entry } }: Pick<GuestJob, 'description'>): boolean {
  return /\.(?:cpp|c)$/.test(entry);
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
  const all = JSON.parse(text) as readonly WrittenVector[];
  return all.filter(vector => vector.selfTest === true).map(plainForm);
}

/** A vector as vectors.json may have it: spaces in hex, and `json` in place of `text`. */
type WrittenVector = Omit<Vector, 'messages'> & {
  readonly selfTest?: boolean;
  readonly messages?: readonly (NonNullable<Vector['messages']>[number] & { readonly json?: unknown })[];
};

/** The form of runtime/vector.ts, which a manifest has. host/plugin-tools/vectors.ts does the same for a test. */
function plainForm({ selfTest: _mark, frame, messages, ...vector }: WrittenVector): Vector {
  const hex = <T extends { readonly payload?: string }>(of: T): T =>
    of.payload === undefined ? of : { ...of, payload: of.payload.replaceAll(' ', '') };
  return {
    ...vector,
    frame: hex(frame),
    ...(messages === undefined
      ? {}
      : {
          messages: messages.map(({ json, ...message }) => ({
            ...hex(message),
            ...(json === undefined ? {} : { text: JSON.stringify(json) }),
          })),
        }),
  };
}

function sourceHash(
  root: string,
  folder: string,
  description: GuestDescription,
  vectors: readonly Vector[],
): string {
  const hash = createHash('sha256');
  const entry = join(folder, description.entry);
  const files = [
    ...(isOfC({ description })
      ? [...included(entry, cppHeaders(root))].sort()
      : sourcesUnder(dirname(entry), description.entry)),
    ...(description.entry.endsWith('.ts')
      ? sourcesUnder(join(root, 'plugins-wasm/sdk-as/assembly'), 'index.ts')
      : []),
    join(root, 'runtime/plugin.wit'),
    ...sourcesUnder(HERE, 'guest.js'),
  ];
  for (const file of files)
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  hash.update(JSON.stringify([CONTRACT_VERSION, MANIFEST_SECTION, description, vectors]));
  return hash.digest('hex');
}

/** Where C and C++ find headers that do not lie beside them: the SDK, and the kernels. */
export function cppHeaders(root: string): string[] {
  return [join(root, 'cpp-kernels/include'), join(root, 'cpp-kernels/src')];
}

/** All files of a folder that end as the entry does: they may import each other. */
function sourcesUnder(folder: string, entry: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => extname(name) === extname(entry))
    .map(name => join(folder, name))
    .filter(file => statSync(file).isFile())
    .sort();
}

/** A C or C++ file and what it includes, over however many steps; headers of the compiler are part of the toolchain. */
function included(file: string, headers: readonly string[], seen = new Set<string>()): Set<string> {
  if (seen.has(file) || !existsSync(file)) return seen;
  seen.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
    /^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]/gm,
  )) {
    const found = [dirname(file), ...headers].map(folder => join(folder, name)).find(existsSync);
    if (found !== undefined) included(found, headers, seen);
  }
  return seen;
}
