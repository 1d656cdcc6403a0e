import type { Asked, Result, Row, SqlValue, Statement, Written } from './messages.js';
import type { Store } from './store.js';

/** A request without the number of its file. */
type AskedOfFile = Asked extends infer One
  ? One extends { file: number }
    ? Omit<One, 'file'>
    : never
  : never;

/** One file of the store, SQLite. Writes are durable when their promise resolves. */
export class Database {
  readonly #store: Store;
  readonly #file: number;

  constructor(store: Store, file: number) {
    this.#store = store;
    this.#file = file;
  }

  /**
   * All of the statements or none of them, in one commit with whatever else waits.
   * @returns what each of them did, once it is on the disk
   * @throws SluiceError SLUICE_STORE_FULL, SLUICE_STORE_FAILED; nothing of it was done
   */
  async write(...statements: Statement[]): Promise<readonly Written[]> {
    const result = await this.ask({ kind: 'write', statements });
    return result.kind === 'written' ? result.written : [];
  }

  /** Sees every write that was asked for before. @throws SluiceError SLUICE_STORE_FAILED */
  async read(sql: string, ...values: SqlValue[]): Promise<readonly Row[]> {
    const result = await this.ask({ kind: 'read', statement: { sql, values } });
    return result.kind === 'rows' ? result.rows : [];
  }

  /** For work that has a message of its own. @throws SluiceError */
  ask(asked: AskedOfFile): Promise<Result> {
    return this.#store.ask({ ...asked, file: this.#file } as Asked);
  }
}
