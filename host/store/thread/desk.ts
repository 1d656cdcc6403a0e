import type { Fault } from '../../../runtime/index.js';
import type { FromStore, Result, ToStore } from '../messages.js';
import { storeError } from '../sqlite-errors.js';
import { StoreFile } from './store-file.js';

type Open = Extract<ToStore, { kind: 'open' }>;
type Write = Extract<ToStore, { kind: 'write' }>;
type Read = Extract<ToStore, { kind: 'read' }>;

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
        case 'write': {
          const known = writes.get(request.file);
          if (known === undefined) writes.set(request.file, [request]);
          else known.push(request);
          break;
        }
        case 'read':
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
    const damaged = (aside: string, why: string): void => this.#post({ kind: 'damaged', file, aside, why });
    try {
      this.#files.get(file)?.close();
      this.#files.set(file, new StoreFile({ path, schema, maxBytes, damaged }));
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
          const done = writes.map(({ statements }) => statements.map(statement => file.run(statement)));
          file.commit();
          return done;
        } catch (thrown) {
          file.rollback();
          throw thrown;
        }
      });
      for (const [index, written] of results.entries())
        this.#done((writes[index] as Write).id, { kind: 'written', written });
    } catch (thrown) {
      const [first] = writes;
      if (writes.length > 1) for (const write of writes) this.#commit(file, [write]);
      else if (first !== undefined) this.#failed(first.id, storeError(thrown, file.path).toFault());
    }
  }

  #read({ id, file: number, statement }: Read): void {
    const file = this.#files.get(number);
    if (file === undefined) {
      this.#failed(id, NOT_OPEN);
      return;
    }
    try {
      this.#done(id, { kind: 'rows', rows: file.mended(() => file.rows(statement)) });
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
