import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Row, Statement, Written } from '../messages.js';
import { isDamage } from '../sqlite-errors.js';

/** A program that looks into the file may hold it this long. */
const BUSY_MS = 5000;
/** Statements that are kept compiled. */
const KEPT = 64;

export interface StoreFileOptions {
  readonly path: string;
  readonly schema: string;
  readonly maxBytes: number;
  /** The damaged file lies under `aside` now. */
  readonly damaged: (aside: string, why: string) => void;
}

/**
 * One SQLite file, in WAL mode and synced at every commit. A file that turns out to be damaged is renamed,
 * said, and replaced by an empty one: what waits to be written must not wait for a person.
 */
export class StoreFile {
  readonly path: string;
  readonly #options: StoreFileOptions;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync;

  /** @throws as SQLite throws */
  constructor(options: StoreFileOptions) {
    this.path = options.path;
    this.#options = options;
    try {
      this.#database = this.#open();
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.#database = this.#replace(thrown);
    }
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE');
  }

  commit(): void {
    this.#database.exec('COMMIT');
  }

  rollback(): void {
    // SQLite has rolled back by itself after some errors.
    if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK');
  }

  run({ sql, values }: Statement): Written {
    const { changes, lastInsertRowid } = this.#prepared(sql).run(...values);
    return { changes: Number(changes), rowid: Number(lastInsertRowid) };
  }

  rows({ sql, values }: Statement): Row[] {
    // SQLite's rows have no prototype, which the thread's messages do not keep either.
    return this.#prepared(sql).all(...values) as Row[];
  }

  /** Does the work; if the file turns out to be damaged by it, once more on an empty one. */
  mended<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.close();
      this.#database = this.#replace(thrown);
      return work();
    }
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= KEPT) this.#statements.clear();
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #open(): DatabaseSync {
    const database = new DatabaseSync(this.path, { timeout: BUSY_MS });
    try {
      // Before the first table: afterwards it would need a VACUUM.
      database.exec('PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
      const { page_size: page } = database.prepare('PRAGMA page_size').get() as { page_size: number };
      database.exec(`PRAGMA max_page_count=${Math.max(16, Math.floor(this.#options.maxBytes / page))}`);
      database.exec(this.#options.schema);
    } catch (thrown) {
      database.close();
      throw thrown;
    }
    return database;
  }

  #replace(why: unknown): DatabaseSync {
    const aside = freeName(`${this.path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '')}`);
    renameSync(this.path, aside);
    // The log belongs to it: who looks into the file needs both.
    if (existsSync(`${this.path}-wal`)) renameSync(`${this.path}-wal`, `${aside}-wal`);
    rmSync(`${this.path}-shm`, { force: true });
    this.#options.damaged(basename(aside), why instanceof Error ? why.message : String(why));
    return this.#open();
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let number = 2; existsSync(name); number++) name = `${wanted}-${number}`;
  return name;
}
