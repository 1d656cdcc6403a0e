import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTRACT_VERSION, type ManifestFields, parseManifest, SluiceError } from '../../runtime/index.js';
import { suggest } from '../config/check/suggest.js';

/** What is right for a field of plugin.json; the words complete "KEY: ...". */
type Check = (value: unknown) => string | undefined;

const isTexts: Check = value =>
  Array.isArray(value) && value.every(item => typeof item === 'string')
    ? undefined
    : 'is not a list of texts';
const isFlag: Check = value => (typeof value === 'boolean' ? undefined : 'is not true or false');
const isSource: Check = value =>
  typeof value === 'string' && /\.(?:ts|cpp|c|wat)$/.test(value)
    ? undefined
    : 'is not the name of a source that ends in .ts, .cpp, .c or .wat';

/** The fields that say how to build; the others are the manifest's. */
const BUILD: Readonly<Record<string, Check>> = {
  entry: isSource,
  component: isFlag,
  defines: isTexts,
  link: isTexts,
};
const MANIFEST = [
  'name',
  'version',
  'kind',
  'accepts',
  'limits',
  'description',
  'simd',
  'features',
  'imports',
];
const LIMITS = ['memory', 'deadline', 'output'];
const KINDS = ['converter', 'kernel'];

/**
 * Reads the plugin.json of `folder` and holds every field against what a gateway takes, before anything is compiled.
 * @throws SluiceError SLUICE_MANIFEST_INVALID, which names the field
 */
export async function readDescription(folder: string): Promise<ManifestFields> {
  const file = join(folder, 'plugin.json');
  try {
    const fields = toObject(JSON.parse(await readFile(file, 'utf8')), 'it');
    checkKeys(fields, [...MANIFEST, ...Object.keys(BUILD)], '');
    if (fields.limits !== undefined) checkKeys(toObject(fields.limits, 'limits'), LIMITS, 'limits.');
    if (fields.entry === undefined) throw new Error('entry: is missing: the source, beside plugin.json');
    for (const [key, check] of Object.entries(BUILD)) {
      const why = fields[key] === undefined ? undefined : check(fields[key]);
      if (why !== undefined) throw new Error(`${key}: ${why}`);
    }
    return checkManifest(fields);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing
      ? 'there is no such file; `sluice plugin new NAME` makes a folder with one'
      : (cause as Error).message.replace(/^manifest: /, '');
    throw new SluiceError('SLUICE_MANIFEST_INVALID', `${file}: ${why}`, { cause });
  }
}

function checkManifest(fields: Readonly<Record<string, unknown>>): ManifestFields {
  try {
    return parseManifest(Buffer.from(JSON.stringify({ ...fields, abi: CONTRACT_VERSION })));
  } catch (thrown) {
    const { kind } = fields;
    const meant = typeof kind === 'string' && !KINDS.includes(kind) ? suggest(kind, KINDS) : undefined;
    const message = (thrown as Error).message;
    throw meant === undefined || !message.includes('kind: ')
      ? thrown
      : new Error(`${message}; did you mean ${JSON.stringify(meant)}?`);
  }
}

function checkKeys(fields: object, known: readonly string[], at: string): void {
  for (const key of Object.keys(fields)) {
    if (known.includes(key)) continue;
    const meant = suggest(key, known);
    const help =
      meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
    throw new Error(`${at}${key.slice(0, 80)}: is not known; ${help}`);
  }
}

function toObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}
