import { readFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { type FrameCopy, SluiceError } from '../../runtime/index.js';
import type { Row } from '../store/messages.js';
import { type Quarantined, quarantinedOf } from '../store/quarantine.js';

/** A frame of a file, with what is said about it there. */
export interface StoredFrame {
  readonly id: number;
  readonly frame: FrameCopy;
  /** Why it was refused, where that is known. */
  readonly code?: string;
}

const SQLITE = 'SQLite format 3\0';

/**
 * The frames of a file: what `GET /v1/quarantine` answers, one such frame a line (JSON lines), or a gateway's
 * quarantine.db itself.
 * @throws SluiceError SLUICE_REPLAY_FILE, which names the line
 */
export async function readFrames(file: string): Promise<StoredFrame[]> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw unusable(file, (cause as Error).message, cause);
  }
  if (bytes.toString('latin1', 0, SQLITE.length) === SQLITE) return ofDatabase(file);
  const text = bytes.toString('utf8');
  return recordsOf(file, text).map((record, index) => frameOf(file, record, index + 1));
}

function ofDatabase(file: string): StoredFrame[] {
  try {
    using database = new DatabaseSync(file, { readOnly: true });
    const rows = database.prepare('SELECT * FROM frames ORDER BY id').all() as Row[];
    return rows
      .map(quarantinedOf)
      .map(({ id, frame, fault }: Quarantined) => ({ id, frame: whole(frame), code: fault.code }));
  } catch (cause) {
    throw unusable(file, (cause as Error).message, cause);
  }
}

function whole({ payload, ...rest }: Quarantined['frame']): FrameCopy {
  return { ...rest, payload: Buffer.from(payload) };
}

/** All of one document, else one a line. */
function recordsOf(file: string, text: string): unknown[] {
  const document = parsed(text);
  if (Array.isArray(document)) return document;
  if (isObject(document)) return Array.isArray(document.frames) ? document.frames : [document];
  const lines = text.split('\n').filter(line => line.trim() !== '');
  return lines.map((line, index) => {
    const record = parsed(line);
    if (record === undefined) throw unusable(file, `line ${index + 1} is not JSON`);
    return record;
  });
}

function frameOf(file: string, record: unknown, number: number): StoredFrame {
  const at = (why: string): never => {
    throw unusable(file, `frame ${number}: ${why}`);
  };
  if (!isObject(record)) return at('is not an object');
  const { id = number, source = 'replay', topic, timestamp = '0', payload, properties = [], code } = record;
  if (typeof id !== 'number') return at('id is not a number');
  if (typeof source !== 'string' || typeof topic !== 'string') return at('source and topic have to be texts');
  if (typeof timestamp !== 'string' || !/^\d{1,19}$/.test(timestamp))
    return at('timestamp is not nanoseconds since 1970 as decimal text');
  if (typeof payload !== 'string' || !/^(?:[0-9a-fA-F]{2})*$/.test(payload)) return at('payload is not hex');
  if (!Array.isArray(properties) || !properties.every(isPair))
    return at('properties is not a list of [key, value]');
  return {
    id,
    frame: { source, topic, timestamp: BigInt(timestamp), payload: Buffer.from(payload, 'hex'), properties },
    ...(typeof code === 'string' ? { code } : {}),
  };
}

function isPair(item: unknown): item is [string, string] {
  return Array.isArray(item) && item.length === 2 && item.every(part => typeof part === 'string');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(file: string, why: string, cause?: unknown): SluiceError {
  return new SluiceError('SLUICE_REPLAY_FILE', `${file}: ${why}`, { cause });
}
