import type { FrameCopy } from '../../runtime/index.js';
import { type ErrorCode, type Fault, SluiceError } from '../../runtime/index.js';
import type { Culprit } from '../route/route-parts.js';
import type { FrameName } from '../sinks/message-id.js';
import type { Database } from './database.js';
import type { Row, SqlValue } from './messages.js';

/** A frame that a plugin failed on, twice, and what is known of that. */
export interface Poison {
  readonly frame: FrameCopy;
  readonly route: string;
  readonly plugin: string;
  readonly version: string;
  /** Place of the plugin in its chain, from 0. */
  readonly stage: number;
  readonly fault: Fault;
  /** Trace id that came with it, beside its properties. */
  readonly trace?: string | undefined;
  /** What its messages are called, if it can still be run without having been in quarantine. */
  readonly id?: FrameName;
}

/** A frame in quarantine. */
export interface Quarantined extends Omit<Poison, 'id'> {
  readonly id: number;
  /** When it went in, milliseconds since 1970. */
  readonly at: number;
  /** Trace id (W3C Trace Context, 3.2.2.3) that came with the frame. */
  readonly trace: string | undefined;
  /** Times that it was replayed and failed again; `plugin`, `version`, `stage` and `fault` are those of the last time. */
  readonly replays: number;
}

/** How a replay has failed, and on whom. */
type Again = Pick<Poison, 'plugin' | 'fault'> & { readonly culprit?: Culprit | undefined };

/** Which frames: all that are given have to be equal. */
export interface Choice {
  readonly id?: number;
  readonly plugin?: string;
  readonly source?: string;
  readonly route?: string;
  readonly code?: string;
  /** Only those with a higher id. */
  readonly after?: number;
}

export interface QuarantineEvents {
  /** So many frames are in. */
  held(count: number): void;
  /** The oldest made room for new ones. */
  dropped(count: number, code: ErrorCode): void;
}

/** The schema of the file. */
export const QUARANTINE_SCHEMA = `
CREATE TABLE IF NOT EXISTS frames (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
  route TEXT NOT NULL, plugin TEXT NOT NULL, version TEXT NOT NULL, stage INTEGER NOT NULL,
  code TEXT NOT NULL, message TEXT NOT NULL, replays INTEGER NOT NULL DEFAULT 0, trace TEXT,
  source TEXT NOT NULL, topic TEXT NOT NULL, timestamp TEXT NOT NULL, properties TEXT NOT NULL, payload BLOB NOT NULL
);
`;

/** Most frames; the oldest go first. A plugin that fails on everything must not fill a disk. */
const MOST_FRAMES = 10_000;
/** Frames that make room when the file is full. */
const ROOM = 100;
const DROP = 'DELETE FROM frames WHERE id IN (SELECT id FROM frames ORDER BY id LIMIT ?)';
const PUT = `INSERT INTO frames (at, route, plugin, version, stage, code, message, trace, source, topic, timestamp, properties, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/**
 * The frames that plugins failed on, on the disk, byte for byte: what is in it was accepted, and waits for a
 * plugin that can handle it.
 */
export class Quarantine {
  readonly #database: Database;
  readonly #events: QuarantineEvents;
  readonly #most: number;
  #count = 0;

  private constructor(database: Database, events: QuarantineEvents, most: number) {
    this.#database = database;
    this.#events = events;
    this.#most = most;
  }

  /** @param most frames at most @throws SluiceError SLUICE_STORE_FAILED */
  static async open(database: Database, events: QuarantineEvents, most = MOST_FRAMES): Promise<Quarantine> {
    const quarantine = new Quarantine(database, events, most);
    const [row] = await database.read('SELECT count(*) AS count FROM frames');
    quarantine.#add(Number(row?.count ?? 0));
    return quarantine;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Resolves with its id when the frame is on the disk.
   * @param displaces the oldest go where there is no room
   * @throws SluiceError SLUICE_STORE_FULL, SLUICE_STORE_FAILED
   */
  async put(poison: Poison, displaces = true): Promise<number> {
    const over = this.#count - this.#most + 1;
    if (over > 0) {
      if (!displaces) throw new SluiceError('SLUICE_STORE_FULL', `${this.#count} frames are in quarantine`);
      await this.#makeRoom(over);
    }
    try {
      return await this.#insert(poison);
    } catch (thrown) {
      if (!displaces || !(thrown instanceof SluiceError) || thrown.code !== 'SLUICE_STORE_FULL') throw thrown;
      await this.#makeRoom(ROOM);
      return this.#insert(poison);
    }
  }

  /** Oldest first. @throws SluiceError SLUICE_STORE_FAILED */
  async list(choice: Choice, limit: number): Promise<Quarantined[]> {
    const { where, values } = conditionOf(choice);
    const sql = `SELECT * FROM frames ${where} ORDER BY id LIMIT ?`;
    return (await this.#database.read(sql, ...values, limit)).map(quarantinedOf);
  }

  /** Gives how many were removed. @throws SluiceError SLUICE_STORE_FAILED */
  async remove(choice: Choice): Promise<number> {
    const { where, values } = conditionOf(choice);
    const [done] = await this.#database.write({ sql: `DELETE FROM frames ${where}`, values });
    const count = done?.changes ?? 0;
    this.#add(-count);
    return count;
  }

  /** It was replayed, and failed again. @throws SluiceError SLUICE_STORE_FAILED */
  async failedAgain(id: number, { plugin, fault, culprit }: Again): Promise<void> {
    const { code, message } = fault;
    const sql = `UPDATE frames SET replays = replays + 1, code = ?, message = ?, plugin = ?,
      version = coalesce(?, version), stage = coalesce(?, stage) WHERE id = ?`;
    const values = [code, message, plugin, culprit?.version ?? null, culprit?.stage ?? null, id];
    await this.#database.write({ sql, values });
  }

  async #insert({ frame, route, plugin, version, stage, fault, trace }: Poison): Promise<number> {
    const { source, topic, timestamp, properties, payload } = frame;
    const told = [Date.now(), route, plugin, version, stage, fault.code, fault.message, trace ?? null];
    const values = [...told, source, topic, String(timestamp), JSON.stringify(properties), payload];
    const [done] = await this.#database.write({ sql: PUT, values });
    this.#add(1);
    return done?.rowid ?? 0;
  }

  async #makeRoom(count: number): Promise<void> {
    const [done] = await this.#database.write({ sql: DROP, values: [count] });
    const dropped = done?.changes ?? 0;
    if (dropped === 0) return;
    this.#add(-dropped);
    this.#events.dropped(dropped, 'SLUICE_QUARANTINE_FULL');
  }

  #add(count: number): void {
    this.#count += count;
    this.#events.held(this.#count);
  }
}

function conditionOf({ after, ...equal }: Choice): { where: string; values: SqlValue[] } {
  const given = Object.entries(equal).filter(([, value]) => value !== undefined);
  const terms = given.map(([column]) => `${column} = ?`);
  const values: SqlValue[] = given.map(([, value]) => value);
  if (after !== undefined) {
    terms.push('id > ?');
    values.push(after);
  }
  return { where: terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`, values };
}

/** The form of a row, for those who read the file without a gateway too. */
export function quarantinedOf(row: Row): Quarantined {
  const text = (column: string): string => String(row[column]);
  return {
    id: Number(row.id),
    at: Number(row.at),
    route: text('route'),
    plugin: text('plugin'),
    version: text('version'),
    stage: Number(row.stage),
    fault: { code: text('code') as ErrorCode, message: text('message') },
    replays: Number(row.replays),
    trace: row.trace === null ? undefined : text('trace'),
    frame: {
      source: text('source'),
      topic: text('topic'),
      timestamp: BigInt(text('timestamp')),
      properties: JSON.parse(text('properties')) as [string, string][],
      payload: row.payload as Uint8Array,
    },
  };
}
