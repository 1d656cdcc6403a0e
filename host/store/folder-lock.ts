import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SluiceError } from '../../runtime/index.js';
import { isBusy, isDamage } from './sqlite-errors.js';

/** Who holds a data folder, as it stands in owner.json. */
export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When it took the folder, ISO 8601. */
  readonly since: string;
}

/**
 * One process at a time in a data folder. The lock is one of the operating system on the file `lock` (held
 * through SQLite, which knows how on each system), so it ends with its process however that ends; owner.json
 * beside it is only there to name the process.
 */
export class FolderLock {
  /** Who had the folder before and did not end by itself. */
  readonly left: Owner | undefined;
  /** The file was no lock any more, and is one again. */
  readonly wasDamaged: boolean;
  readonly #folder: string;
  readonly #held: DatabaseSync;

  /** @throws SluiceError SLUICE_DATA_LOCKED; others as they come from the file system */
  constructor(folder: string) {
    this.#folder = folder;
    const file = join(folder, 'lock');
    let held: DatabaseSync | undefined;
    try {
      held = lockedFile(file);
    } catch (thrown) {
      if (isBusy(thrown)) throw inUse(folder);
      if (!isDamage(thrown)) throw thrown;
    }
    this.wasDamaged = held === undefined;
    this.#held = held ?? mended(file, folder);
    this.left = ownerOf(folder);
    const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    try {
      writeFileSync(join(folder, 'owner.json'), `${JSON.stringify(owner)}\n`);
    } catch {
      // A full disk: the lock holds without its name.
    }
  }

  release(): void {
    if (!this.#held.isOpen) return;
    // First the name: the next owner may write its own as soon as the lock is free.
    rmSync(join(this.#folder, 'owner.json'), { force: true });
    this.#held.close();
  }
}

function lockedFile(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/**
 * Nobody holds a file of which the bytes were looked at, and nothing is in it. It is emptied in its place: two that do so
 * at the same time lock the same file behind that, and one of them is refused.
 */
function mended(file: string, folder: string): DatabaseSync {
  truncateSync(file);
  try {
    return lockedFile(file);
  } catch (thrown) {
    throw isBusy(thrown) ? inUse(folder) : thrown;
  }
}

function inUse(folder: string): SluiceError {
  const owner = ownerOf(folder);
  const who =
    owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}, since ${owner.since}`;
  return new SluiceError('SLUICE_DATA_LOCKED', `the data folder ${folder} is in use by ${who}`);
}

function ownerOf(folder: string): Owner | undefined {
  try {
    const { pid, host, since } = JSON.parse(
      readFileSync(join(folder, 'owner.json'), 'utf8'),
    ) as Partial<Owner>;
    return { pid: Number(pid), host: String(host), since: String(since) };
  } catch {
    return undefined;
  }
}
