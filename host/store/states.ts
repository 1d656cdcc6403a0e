import { faultOf } from '../../runtime/index.js';
import type { KeptState } from '../../sandbox/index.js';
import type { KeptStates } from '../route/route-parts.js';
import type { Reporter } from '../telemetry/reporter.js';
import type { Database } from './database.js';
import type { Statement } from './messages.js';

/** `version`: of the form of the bytes, which is the plugin's own matter. */
export const STATES_SCHEMA = `
CREATE TABLE IF NOT EXISTS state (
  route TEXT NOT NULL, place TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY (route, place)
);
`;
const PUT = 'INSERT INTO state (route, place, version, at, bytes) VALUES (?, ?, ?, ?, ?)';

/** What is newer than this may not be on the disk yet: a plugin can be asked for its state after every batch ... */
const EVERY_MS = 10_000;
/** ... and a large one longer, so that it does not cost a memory card its life. */
const BYTES_PER_MS = 16;

interface Waiting {
  readonly states: readonly KeptState[];
  readonly settled: () => Promise<void>;
}

/** What plugins remember, on the disk: by route, plugin and its place; the newest of each. */
export class States implements KeptStates {
  readonly #database: Database;
  readonly #report: Reporter;
  readonly #waiting = new Map<string, Waiting>();
  /** Of each route: what is to be written when what is being written is. */
  readonly #due = new Map<string, Waiting>();
  readonly #writing = new Map<string, Promise<void>>();
  /** Of each route: what is on the disk. */
  readonly #written = new Map<string, readonly KeptState[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, report: Reporter) {
    this.#database = database;
    this.#report = report;
  }

  /** Nothing, if it cannot be read: that is said. */
  async load(route: string): Promise<KeptState[]> {
    try {
      const rows = await this.#database.read(
        'SELECT place, version, bytes FROM state WHERE route = ?',
        route,
      );
      return rows.map(({ place, version, bytes }) => ({
        place: String(place),
        version: Number(version),
        bytes: bytes as Uint8Array,
      }));
    } catch (thrown) {
      this.#failed(thrown, route);
      return [];
    }
  }

  /**
   * On the disk within ten seconds, if it is small; what was to be written before it is not any more.
   * @param settled asked and waited for before: no frame that is counted in it can come again from the disk
   */
  save(route: string, states: readonly KeptState[], settled: () => Promise<void>): void {
    this.#waiting.set(route, { states, settled });
    if (this.#timer !== undefined) return;
    const bytes = states.reduce((sum, state) => sum + state.bytes.length, 0);
    this.#timer = setTimeout(() => void this.flush(), Math.max(EVERY_MS, bytes / BYTES_PER_MS)).unref();
  }

  /** Everything is on the disk, or said to be not. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [route, waiting] of this.#waiting) {
      this.#due.set(route, waiting);
      if (!this.#writing.has(route)) this.#writing.set(route, this.#writeDue(route));
    }
    this.#waiting.clear();
    await Promise.all(this.#writing.values());
  }

  /** One behind the other, or an old one could take the place of a newer one; and what a disk is waited for is the newest only. */
  async #writeDue(route: string): Promise<void> {
    for (let due = this.#due.get(route); due !== undefined; due = this.#due.get(route)) {
      this.#due.delete(route);
      await this.#write(route, due);
    }
    this.#writing.delete(route);
  }

  async #write(route: string, { states, settled }: Waiting): Promise<void> {
    if (isSame(states, this.#written.get(route))) return;
    await settled();
    const at = Date.now();
    const puts: Statement[] = states.map(({ place, version, bytes }) => ({
      sql: PUT,
      values: [route, place, version, at, bytes],
    }));
    try {
      await this.#database.write({ sql: 'DELETE FROM state WHERE route = ?', values: [route] }, ...puts);
      this.#written.set(route, states);
    } catch (thrown) {
      this.#failed(thrown, route);
    }
  }

  #failed(thrown: unknown, route: string): void {
    this.#report.fault(faultOf(thrown), { route, file: 'states.db' }, 'error');
  }
}

function isSame(states: readonly KeptState[], others: readonly KeptState[] = []): boolean {
  return (
    states.length === others.length &&
    states.every(({ place, version, bytes }, index) => {
      const other = others[index] as KeptState;
      return place === other.place && version === other.version && Buffer.compare(bytes, other.bytes) === 0;
    })
  );
}
