import { SluiceError } from '../../runtime/index.js';

/** Primary result codes of SQLite (sqlite.org/rescode.html); node:sqlite gives them as `errcode`. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/** The primary result code; undefined for what is no error of SQLite. */
function resultOf(thrown: unknown): number | undefined {
  const code = (thrown as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

export function isBusy(thrown: unknown): boolean {
  const result = resultOf(thrown);
  return result === BUSY || result === LOCKED;
}

/** The file itself is damaged; it does not get better by trying again. */
export function isDamage(thrown: unknown): boolean {
  const result = resultOf(thrown);
  return result === CORRUPT || result === NOT_A_DATABASE;
}

/** Of the disk, or of the bound of the file. */
export function isFull(thrown: unknown): boolean {
  return resultOf(thrown) === FULL;
}

/** What went wrong with a file, under a code of the table. */
export function storeError(thrown: unknown, file: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const message = `${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  const code = isFull(thrown) ? 'SLUICE_STORE_FULL' : 'SLUICE_STORE_FAILED';
  return new SluiceError(code, message, { cause: thrown });
}
