import { existsSync, renameSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Row, Statement, Written } from '../messages.js';
import { isDamage } from '../sqlite-errors.js';
import { Reserve } from './reserve.js';

/** A program that looks into the file may hold it this long. */
const BUSY_MS = 5000;
const PAGE = 8192;
/** Most pages of the log. */
const LOG_PAGES = 1000;
/** Free pages from which on a file may give some back, their share of the file, and how many it gives at once. */
const LEAST_FREE = 512;
const MOSTLY = 0.75;
const GIVE_BACK = 256;
/** Statements that are kept compiled. */
const KEPT = 64;

export interface StoreFileOptions {
  readonly path: string;
  readonly schema: string;
  readonly maxBytes: number;
  /** Beside it lies a reserve, so that it can be emptied on a full disk. */
  readonly reserve?: boolean;
  /** Copies what can be read of a damaged file into the new one, and says how much. */
  readonly salvage?: (from: DatabaseSync, into: DatabaseSync) => number;
  /** The damaged file lies under `aside` now. */
  readonly damaged: (aside: string, why: string, saved: number) => void;
}

/**
 * One SQLite file, in WAL mode and synced at every commit. A file that turns out to be damaged is renamed,
 * said, and replaced by a new one with what could be read of it: what waits to be written must not wait for a person.
 */
export class StoreFile {
  readonly path: string;
  /** Of a spool: place up to which the records of a queue were handed on, by its number. */
  readonly handedOn = new Map<number, number>();
  readonly #options: StoreFileOptions;
  readonly #statements = new Map<string, StatementSync>();
  #database: DatabaseSync;
  readonly #reserve: Reserve | undefined;
  #page = PAGE;

  /** @throws as SQLite throws */
  constructor(options: StoreFileOptions) {
    this.path = options.path;
    this.#options = options;
    this.#reserve = options.reserve === true ? new Reserve(options.path) : undefined;
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
    const { changes, lastInsertRowid } = this.statement(sql).run(...values);
    return { changes: Number(changes), rowid: Number(lastInsertRowid) };
  }

  rows({ sql, values }: Statement): Row[] {
    // SQLite's rows have no prototype, which the thread's messages do not keep either.
    return this.statement(sql).all(...values) as Row[];
  }

  /** Does the work; if the file turns out to be damaged by it, once more on a new one. */
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

  /** False: the disk is full, and what space there is is for removals. */
  get mayGrow(): boolean {
    return this.#reserve?.hold() ?? true;
  }

  /** The disk is full: the reserve makes room for removals. Outside a transaction. */
  diskIsFull(): void {
    if (this.#reserve === undefined) return;
    this.#reserve.release();
    try {
      // The log begins at its start again, and needs no more of the disk.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Somebody reads the file, or there was not room enough; the next commit tries again.
    }
  }

  get maxBytes(): number {
    return this.#options.maxBytes;
  }

  get pageSize(): number {
    return this.#page;
  }

  /** Bytes of the pages that hold something, as they are in the transaction that runs. */
  get usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#page;
  }

  /** Writes its first page, as it is. Inside a transaction. */
  touch(): void {
    this.#database.exec(`PRAGMA user_version=${this.#pragma('user_version')}`);
  }

  /** A file that is mostly empty gives space back, some of it at a time. Inside a transaction. */
  shrink(): void {
    const free = this.#pragma('freelist_count');
    if (free < LEAST_FREE || free < this.#pragma('page_count') * MOSTLY) return;
    this.#database.exec(`PRAGMA incremental_vacuum(${GIVE_BACK})`);
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  /** Compiled once. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      if (this.#statements.size >= KEPT) this.#statements.clear();
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #pragma(name: string): number {
    return Object.values(this.statement(`PRAGMA ${name}`).get() ?? {})[0] as number;
  }

  #open(): DatabaseSync {
    const database = new DatabaseSync(this.path, { timeout: BUSY_MS });
    try {
      // The first two before the first table: afterwards they would need a VACUUM.
      database.exec(`PRAGMA page_size=${PAGE}; PRAGMA auto_vacuum=INCREMENTAL`);
      database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
      const { page_size: page } = database.prepare('PRAGMA page_size').get() as { page_size: number };
      const pages = Math.max(16, Math.floor(this.#options.maxBytes / page));
      // The log beside the file is bounded too: what it holds is moved into the file from this length on.
      const log = Math.min(LOG_PAGES, Math.max(16, pages >> 3));
      database.exec(`PRAGMA max_page_count=${pages}; PRAGMA wal_autocheckpoint=${log}`);
      this.#page = page;
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
    const fresh = this.#open();
    const saved = this.#salvage(aside, fresh);
    this.#options.damaged(basename(aside), why instanceof Error ? why.message : String(why), saved);
    return fresh;
  }

  #salvage(aside: string, fresh: DatabaseSync): number {
    const { salvage } = this.#options;
    if (salvage === undefined) return 0;
    try {
      using damaged = new DatabaseSync(aside);
      return salvage(damaged, fresh);
    } catch {
      // Not even its list of tables can be read.
      return 0;
    }
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let number = 2; existsSync(name); number++) name = `${wanted}-${number}`;
  return name;
}
