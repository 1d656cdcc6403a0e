import type { Fault } from '../../../runtime/index.js';
import type { FromStore, Result, ToStore } from '../messages.js';
import { SPOOL_SCHEMA } from '../spool-file.js';
import { isFull, storeError } from '../sqlite-errors.js';
import { probe } from './probe.js';
import { salvageSpool } from './salvage.js';
import { append, remove, take } from './spool-table.js';
import { StoreFile } from './store-file.js';

type Open = Extract<ToStore, { kind: 'open' }>;
type Write = Extract<ToStore, { kind: 'write' | 'append' | 'remove' | 'probe' }>;
type Read = Extract<ToStore, { kind: 'read' | 'take' }>;

/** Where the requests of the host come in: the writes are committed together, the reads see them. */
export class Desk {
  readonly #post: (message: FromStore) => void;
  readonly #files = new Map<number, StoreFile>();

  constructor(post: (message: FromStore) => void) {
    this.#post = post;
  }

  /** Answers all of them. */
  serve(requests: readonly ToStore[]): 'closed' | undefined {
    const writes = new Map<number, Write[]>();
    const reads: Read[] = [];
    let closing: number | undefined;
    for (const request of requests) {
      switch (request.kind) {
        case 'open':
          this.#open(request);
          break;
        case 'write':
        case 'append':
        case 'remove':
        case 'probe': {
          const known = writes.get(request.file);
          if (known === undefined) writes.set(request.file, [request]);
          else known.push(request);
          break;
        }
        case 'read':
        case 'take':
          reads.push(request);
          break;
        case 'close':
          closing = request.id;
          break;
        default:
          request satisfies never;
      }
    }
    for (const [number, own] of writes) {
      const file = this.#files.get(number);
      if (file === undefined) for (const { id } of own) this.#failed(id, NOT_OPEN);
      else this.#commit(file, own);
    }
    for (const read of reads) this.#read(read);
    if (closing === undefined) return undefined;
    for (const file of this.#files.values()) file.close();
    this.#done(closing, { kind: 'closed' });
    return 'closed';
  }

  #open({ id, file, path, schema, maxBytes }: Open): void {
    const damaged = (aside: string, why: string, saved: number): void =>
      this.#post({ kind: 'damaged', file, aside, why, saved });
    const more = schema === SPOOL_SCHEMA ? { salvage: salvageSpool, reserve: true } : {};
    try {
      this.#files.get(file)?.close();
      this.#files.set(file, new StoreFile({ path, schema, maxBytes, damaged, ...more }));
      this.#done(id, { kind: 'opened' });
    } catch (thrown) {
      this.#failed(id, storeError(thrown, path).toFault());
    }
  }

  /** All in one commit; if that fails, each by itself, so that one that cannot be done holds up no other. */
  #commit(file: StoreFile, writes: readonly Write[]): void {
    try {
      const results = file.mended(() => {
        file.begin();
        try {
          const done = writes.map(write => resultOf(file, write));
          file.commit();
          return done;
        } catch (thrown) {
          file.rollback();
          throw thrown;
        }
      });
      for (const [index, result] of results.entries()) this.#done((writes[index] as Write).id, result);
    } catch (thrown) {
      if (isFull(thrown)) file.diskIsFull();
      const [first] = writes;
      if (writes.length > 1) for (const write of writes) this.#commit(file, [write]);
      else if (first !== undefined) this.#failed(first.id, storeError(thrown, file.path).toFault());
    }
  }

  #read(read: Read): void {
    const { id } = read;
    const file = this.#files.get(read.file);
    if (file === undefined) {
      this.#failed(id, NOT_OPEN);
      return;
    }
    try {
      const result = file.mended<Result>(() =>
        read.kind === 'take' ? take(file, read) : { kind: 'rows', rows: file.rows(read.statement) },
      );
      this.#done(id, result);
    } catch (thrown) {
      this.#failed(id, storeError(thrown, file.path).toFault());
    }
  }

  #done(id: number, result: Result): void {
    this.#post({ kind: 'done', id, result });
  }

  #failed(id: number, fault: Fault): void {
    this.#post({ kind: 'failed', id, fault });
  }
}

const NOT_OPEN: Fault = { code: 'SLUICE_STORE_FAILED', message: 'the file is not open' };

function resultOf(file: StoreFile, write: Write): Result {
  switch (write.kind) {
    case 'write':
      return { kind: 'written', written: write.statements.map(statement => file.run(statement)) };
    case 'append':
      return append(file, write);
    case 'remove':
      return { kind: 'removed', gone: remove(file, write) };
    case 'probe':
      probe(file, write.need, write.room);
      return { kind: 'fits' };
    default:
      return write satisfies never;
  }
}
