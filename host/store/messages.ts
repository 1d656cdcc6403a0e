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
  | { readonly kind: 'close'; readonly id: number }
  | Append
  | Take
  | Remove
  | Probe;

/** A request without the number of its answer. */
export type Asked = ToStore extends infer One ? (One extends ToStore ? Omit<One, 'id'> : never) : never;

/** Records of a spool to be kept; the layout of the chunk is in host/spool/record.ts. */
export interface Append {
  readonly kind: 'append';
  readonly id: number;
  readonly file: FileNumber;
  /** Belongs to the thread until the answer. */
  readonly chunk: SharedArrayBuffer;
  readonly used: number;
  /** Those of the chunk's queues that may not be in the file yet. */
  readonly queues: readonly QueueName[];
  /** What makes room when the file is at its bound. */
  readonly room: Room;
}

/** Whether records could be kept now; nothing is, and none makes room for it. */
interface Probe {
  readonly kind: 'probe';
  readonly id: number;
  readonly file: FileNumber;
  /** Bytes of them. */
  readonly need: number;
  readonly room: Omit<Room, 'queues'>;
}

/** The next records of a queue, into memory that belongs to the thread until the answer. */
export interface Take {
  readonly kind: 'take';
  readonly id: number;
  readonly file: FileNumber;
  readonly queue: number;
  /** Places of the records, from behind `after` up to `upTo`. */
  readonly after: number;
  readonly upTo: number;
  readonly into: SharedArrayBuffer;
}

/** Records that are needed no more. */
export interface Remove {
  readonly kind: 'remove';
  readonly id: number;
  readonly file: FileNumber;
  readonly queue: number;
  /** Places of the first and the last. */
  readonly first: number;
  readonly last: number;
}

/** A queue of the spool: what one sink gets of one source by one route. */
export interface QueueName {
  readonly number: number;
  readonly sink: string;
  readonly route: string;
  readonly source: string;
  /** Beside the queue proper lie copies of what is on its way to the sink, where order is not kept. */
  readonly aside: boolean;
}

export interface Room {
  readonly policy: WhenFull;
  /** Of the space of the file it may be filled so far for this. */
  readonly share: number;
  /** Queues that may give records up, from behind this place on. */
  readonly queues: readonly { readonly queue: number; readonly after: number }[];
}

export type WhenFull = 'keep-all' | 'keep-newest' | 'down-sample';

export type FromStore =
  | { readonly kind: 'done'; readonly id: number; readonly result: Result }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }
  /** A file was found to be damaged: it lies under `aside` now, and a new one has its place. */
  | {
      readonly kind: 'damaged';
      readonly file: FileNumber;
      readonly aside: string;
      readonly why: string;
      /** Records that could be read and are in the new file. */
      readonly saved: number;
    };

/** What a request that went well gives. */
export type Result =
  | { readonly kind: 'opened' | 'closed' }
  | { readonly kind: 'written'; readonly written: readonly Written[] }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | Appended
  | Taken
  | { readonly kind: 'removed'; readonly gone: Gone }
  | { readonly kind: 'fits' };

export interface Appended {
  readonly kind: 'appended';
  /** What had to make room. */
  readonly gone: readonly GivenUp[];
}

export interface Gone {
  readonly queue: number;
  readonly records: number;
  readonly bytes: number;
}

/** Records that made room for others. */
export interface GivenUp extends Gone {
  /** Where they stood. Who asked may have handed some of them on meanwhile, from memory. */
  readonly places: readonly number[];
  /** They were the oldest: when the oldest that is left was put down, milliseconds since 1970. */
  readonly oldest?: number;
}

export interface Taken {
  readonly kind: 'taken';
  /** Records in the memory, and the bytes they take there. */
  readonly records: number;
  readonly used: number;
  /** Place of the last record that was looked at; `after` if there was none. */
  readonly last: number;
  /** Records that were left out because their bytes are not those that were written. */
  readonly damaged: number;
  /** The next record does not fit the memory: it needs so many bytes. 0: it does, or there is none. */
  readonly needs: number;
}

/** What one statement did. */
export interface Written {
  readonly changes: number;
  readonly rowid: number;
}
