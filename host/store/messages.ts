import type { Fault } from '../../runtime/index.js';

/** All that crosses between the host's thread and that of the store. Plain data only. */

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  readonly sql: string;
  /** For the `?` of the statement, in their order. */
  readonly values: readonly SqlValue[];
}

/** Number of a file, given by who opens it. */
type FileNumber = number;

/** Each request has an `id`, and exactly one answer with it. */
export type ToStore =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly file: FileNumber;
      readonly path: string;
      /** Statements that make what is not there yet (`CREATE TABLE IF NOT EXISTS ...`). */
      readonly schema: string;
      /** Most bytes of the file. */
      readonly maxBytes: number;
    }
  /** All of the statements or none of them, with whatever else waits, in one commit. */
  | {
      readonly kind: 'write';
      readonly id: number;
      readonly file: FileNumber;
      readonly statements: Statement[];
    }
  /** Sees every write that was asked for before it. */
  | { readonly kind: 'read'; readonly id: number; readonly file: FileNumber; readonly statement: Statement }
  /** Closes every file; the thread ends. */
  | { readonly kind: 'close'; readonly id: number };

export type FromStore =
  | { readonly kind: 'done'; readonly id: number; readonly result: Result }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }
  /** A file was found to be damaged; it lies under `aside` now, and an empty one has its place. */
  | { readonly kind: 'damaged'; readonly file: FileNumber; readonly aside: string; readonly why: string };

/** What a request that went well gives. */
export type Result =
  | { readonly kind: 'opened' | 'closed' }
  | { readonly kind: 'written'; readonly written: readonly Written[] }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] };

/** What one statement did. */
export interface Written {
  readonly changes: number;
  readonly rowid: number;
}
