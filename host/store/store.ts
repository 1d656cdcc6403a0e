import { Worker } from 'node:worker_threads';
import { type Fault, SluiceError } from '../../runtime/index.js';
import { Database } from './database.js';
import type { Asked, FromStore, Result, ToStore } from './messages.js';

/** Its heap holds statements and the rows of one read. */
const RESOURCES = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };
/** Before a thread that died is started again. */
const AGAIN_MS = 250;
/** Threads that may die over one request before it is refused. */
const MOST_DEATHS = 2;

export interface DatabaseOptions {
  /** Absolute; its folder is there. */
  readonly path: string;
  /** Statements that make what is not there yet (`CREATE TABLE IF NOT EXISTS ...`). */
  readonly schema: string;
  /** Most bytes of the file; beyond it a write is refused with SLUICE_STORE_FULL. */
  readonly maxBytes: number;
}

export interface StoreEvents {
  /** A file was damaged and was set aside, or the thread had to be started again. */
  fault(fault: Fault, where: Readonly<Record<string, string>>): void;
}

interface Waiting {
  readonly request: ToStore;
  /** Threads that have died over it. */
  deaths: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: SluiceError) => void;
}

/**
 * The thread for durable data. Nothing here waits for a disk: what is asked for is answered by a promise, and
 * what was asked for while a commit ran is the next commit. A thread that dies is started again, and gets
 * what it had not answered once more.
 */
export class Store {
  readonly #events: StoreEvents;
  readonly #waiting = new Map<number, Waiting>();
  readonly #paths: string[] = [];
  /** What opened each file, for a fresh thread. */
  readonly #opened: Asked[] = [];
  #worker: Worker | undefined;
  #again: NodeJS.Timeout | undefined;
  #last = 0;
  #closed: Promise<void> | undefined;

  constructor(events: StoreEvents) {
    this.#events = events;
  }

  /** @throws SluiceError SLUICE_STORE_FULL, SLUICE_STORE_FAILED; it can be tried again */
  async open(options: DatabaseOptions): Promise<Database> {
    const file = this.#paths.push(options.path) - 1;
    const asked: Asked = { kind: 'open', file, ...options };
    await this.ask(asked);
    this.#opened.push(asked);
    return new Database(this, file);
  }

  /** For `Database`. @throws SluiceError */
  ask(asked: Asked): Promise<Result> {
    if (this.#closed !== undefined) {
      return Promise.reject(new SluiceError('SLUICE_STORE_FAILED', 'the store is closed'));
    }
    return this.#send(asked);
  }

  /** Does what was asked for, closes the files and ends the thread. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#worker === undefined && this.#again === undefined) return;
    await this.#send({ kind: 'close' });
    await this.#worker?.terminate();
  }

  #send(asked: Asked): Promise<Result> {
    const id = ++this.#last;
    const request = { ...asked, id } as ToStore;
    const answer = new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { request, deaths: 0, resolve, reject });
    });
    if (this.#again === undefined) {
      this.#worker ??= this.#start();
      this.#worker.postMessage(request);
    }
    return answer;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread/thread.bundle.js', import.meta.url), {
      name: 'sluice-store',
      resourceLimits: RESOURCES,
    });
    let why = 'it ended';
    worker.on('message', (message: FromStore) => this.#answered(message));
    worker.on('error', error => {
      why = error.message;
    });
    worker.on('exit', () => this.#died(why));
    return worker;
  }

  #answered(message: FromStore): void {
    switch (message.kind) {
      case 'done':
        this.#taken(message.id)?.resolve(message.result);
        return;
      case 'failed':
        this.#taken(message.id)?.reject(SluiceError.fromFault(message.fault));
        return;
      case 'damaged': {
        const path = this.#paths[message.file] as string;
        const { why, aside, saved } = message;
        const holds = saved === 0 ? 'an empty one' : `a new one with the ${saved} records that could be read`;
        const text = `${path} is damaged (${why}); it was renamed to ${aside}, and ${holds} has its place`;
        this.#events.fault({ code: 'SLUICE_STORE_DAMAGED', message: text }, { file: path });
        return;
      }
      default:
        message satisfies never;
    }
  }

  #taken(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #died(why: string): void {
    this.#worker = undefined;
    if (this.#closed !== undefined && this.#waiting.size === 0) return;
    const message = `the thread of the store ended by itself (${why}); a fresh one does what it had not done`;
    this.#events.fault({ code: 'SLUICE_STORE_THREAD', message }, {});
    for (const waiting of this.#waiting.values()) this.#survived(waiting, why);
    this.#again = setTimeout(() => {
      this.#again = undefined;
      this.#worker = this.#start();
      for (const asked of this.#opened) this.#worker.postMessage({ ...asked, id: 0 });
      for (const { request } of this.#waiting.values()) this.#worker.postMessage(request);
    }, AGAIN_MS);
  }

  /** What may have been the cause is not asked for again and again. */
  #survived(waiting: Waiting, why: string): void {
    const { request } = waiting;
    waiting.deaths++;
    if (waiting.deaths < MOST_DEATHS || request.kind === 'open' || request.kind === 'close') return;
    const error = new SluiceError('SLUICE_STORE_THREAD', `${waiting.deaths} threads died over it: ${why}`);
    this.#taken(request.id)?.reject(error);
  }
}
