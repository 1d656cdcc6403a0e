import { readFile } from 'node:fs/promises';
import { CONTRACT_VERSION, type ManifestFields, parseManifest, SluiceError } from '../../runtime/index.js';

export type Vector = NonNullable<ManifestFields['vectors']>[number];

/**
 * The vectors of a vectors.json: the form of runtime/vector.ts, but hex may have spaces, and a message may have `json`
 * in place of `text`: a value that is written without white space, keys in their order.
 * @throws SluiceError SLUICE_PLUGIN_VECTORS, which names the field
 */
export async function readVectors(file: string): Promise<Vector[]> {
  let all: unknown;
  try {
    all = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw unreadable(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (!Array.isArray(all) || all.length === 0)
    throw unreadable(`${file}: is not a list of at least one vector`);
  return all.map((vector: unknown, index) => checkVector(file, index, vector));
}

/** By the check of the manifest, one at a time: a manifest has a ceiling that a file of vectors has not. */
function checkVector(file: string, index: number, vector: unknown): Vector {
  const fields = {
    name: 'vectors',
    version: '0.0.0',
    abi: CONTRACT_VERSION,
    kind: 'converter',
    accepts: [],
    vectors: [plainForm(vector)],
  };
  try {
    const [checked] = parseManifest(Buffer.from(JSON.stringify(fields))).vectors ?? [];
    return checked as Vector;
  } catch (cause) {
    const why = (cause as Error).message.replace(/^manifest: (vectors\[0\])?/, '').replace(/^\W+/, '');
    throw unreadable(`${file}: vector ${index + 1}: ${why}`, cause);
  }
}

/** Whatever is not as it should be is left for the check to name. */
function plainForm(vector: unknown): unknown {
  if (!isObject(vector)) return vector;
  const { frame, messages } = vector;
  return {
    ...vector,
    frame: plainRecord(frame),
    ...(Array.isArray(messages) ? { messages: messages.map(plainRecord) } : {}),
  };
}

function plainRecord(record: unknown): unknown {
  if (!isObject(record)) return record;
  const { json, ...rest } = record;
  const { payload } = rest;
  return {
    ...rest,
    ...(typeof payload === 'string' ? { payload: payload.replaceAll(' ', '') } : {}),
    ...(json === undefined ? {} : { text: JSON.stringify(json) }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_PLUGIN_VECTORS', message, { cause });
}
