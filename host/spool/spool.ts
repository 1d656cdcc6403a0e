import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { type Fault, faultOf, SluiceError } from '../../runtime/index.js';
import type { Database } from '../store/database.js';
import type { Appended, Gone, QueueName, Taken } from '../store/messages.js';
import { MOST_QUEUES, PLACES, SPOOL_SCHEMA } from '../store/spool-file.js';
import type { Store } from '../store/store.js';
import type { Chunk } from './chunk.js';
import type { Lane } from './lane.js';
import { type Found, Queue } from './queue.js';

/** Stands in the place of a sink's name for frames that wait for the plugins of their route; no sink can have it. */
export const PARKED = '~plugins';
/** So much of the space is theirs at most: a plugin that is away for long must not keep the sinks from their spool. */
export const PARKED_SHARE = 1 / 2;

/** Before a file that could not be opened is tried again: at the start, while all waits for it, and later. */
const SOON_MS = 250;
const AGAIN_MS = 5000;

const OWN = `FROM record WHERE record.id >= queue.id * ${PLACES} AND record.id < (queue.id + 1) * ${PLACES}`;
const FOUND = `SELECT *, (SELECT max(id) ${OWN}) AS last, (SELECT since ${OWN} ORDER BY id LIMIT 1) AS oldest
  FROM queue WHERE records > 0`;

export interface SpoolOptions {
  readonly store: Store;
  readonly folder: string;
  readonly maxBytes: number;
  /** It cannot be opened. @param tries so far */
  readonly failed: (fault: Fault, tries: number) => void;
  /** It could not, and is open now. @param failed tries */
  readonly opened?: (failed: number) => void;
}

/** The durable store of what sinks could not take: one file for all of them. */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #found: Found[] = [];
  readonly #numbers = new Set<number>();
  readonly #opened: (() => void)[] = [];
  #database: Database | undefined;
  #again: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** To open it, which failed. */
  #tries = 0;
  /** Why it is not open. */
  fault: Fault | undefined;
  /** It was opened only when others had passed what is in it. */
  isLate = false;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#database !== undefined;
  }

  /** Calls back when it is open; at once if it is. */
  whenOpen(then: () => void): void {
    if (this.isOpen) then();
    else this.#opened.push(then);
  }

  /**
   * A file that cannot be opened now is tried again and again.
   * @param patienceMs it is waited for so long, as what is in it comes before all that is fresh
   * @param signal nobody waits for it any more
   */
  async open(patienceMs = 0, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + patienceMs;
    for (let tries = 1; !(await this.#try()); tries++) {
      // One more try would keep a process that has ended from ending.
      if (this.#isClosed || signal?.aborted === true) return;
      this.#tries++;
      const isOver = performance.now() >= end;
      // Told at once and when it is given up, and not of each try between.
      if (tries === 1 || isOver) this.#failed(isOver ? 'goes on without, and tries again' : 'waits for it');
      if (isOver) {
        this.isLate = true;
        this.#again = setTimeout(() => void this.open(), AGAIN_MS);
        return;
      }
      await after(SOON_MS);
    }
    if (this.#tries > 0) this.#options.opened?.(this.#tries);
    for (const then of this.#opened.splice(0)) then();
  }

  #failed(then: string): void {
    const { code, message } = this.fault as Fault;
    const count = this.#tries === 1 ? '' : ` (${this.#tries} tries)`;
    this.#options.failed({ code, message: `${message}${count}; the gateway ${then}` }, this.#tries);
  }

  async #try(): Promise<boolean> {
    const { store, folder, maxBytes } = this.#options;
    try {
      const database = await store.open({ path: join(folder, 'spool.db'), schema: SPOOL_SCHEMA, maxBytes });
      // Numbers of queues that hold nothing are free again.
      await database.write({ sql: 'DELETE FROM queue WHERE records <= 0', values: [] });
      for (const row of await database.read(FOUND)) {
        const { id, sink, route, source, aside, records, bytes, last, oldest } = row;
        const number = Number(id);
        this.#numbers.add(number);
        this.#found.push({
          name: {
            number,
            sink: String(sink),
            route: String(route),
            source: String(source),
            aside: aside === 1,
          },
          records: Number(records),
          bytes: Number(bytes),
          oldest: Number(oldest),
          last: last === null ? 0 : Number(last) - number * PLACES,
        });
      }
      this.fault = undefined;
      this.#database = database;
      return true;
    } catch (thrown) {
      this.fault = faultOf(thrown);
      return false;
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#again);
  }

  /** What an earlier run has left for a sink, as queues; once. @param route undefined: of all */
  claim(sink: string, isOrdered: (name: QueueName) => boolean, route?: string): Queue[] {
    const own = this.#found.filter(
      ({ name }) => name.sink === sink && (route === undefined || name.route === route),
    );
    for (const found of own) this.#found.splice(this.#found.indexOf(found), 1);
    return own.map(found => new Queue(found.name, isOrdered(found.name), found));
  }

  /** What no sink has claimed, by the name of its sink. */
  unclaimed(): Map<string, number> {
    return sumOf(
      this.#found.filter(({ name }) => name.sink !== PARKED),
      ({ sink }) => sink,
    );
  }

  /** Frames that wait for the plugins of a route that there is not, by its name. */
  unclaimedFrames(): Map<string, number> {
    return sumOf(
      this.#found.filter(({ name }) => name.sink === PARKED),
      ({ route }) => route,
    );
  }

  /** Undefined: there are as many as there can be. */
  newQueue(name: Omit<QueueName, 'number'>, ordered: boolean): Queue | undefined {
    let number = 1;
    while (this.#numbers.has(number)) number++;
    if (number >= MOST_QUEUES) return undefined;
    this.#numbers.add(number);
    return new Queue({ ...name, number }, ordered);
  }

  /** @throws SluiceError SLUICE_STORE_FULL, SLUICE_STORE_FAILED, SLUICE_STORE_THREAD */
  async append(chunk: Chunk, lane: Lane): Promise<Appended> {
    const result = await this.#file.ask({
      kind: 'append',
      chunk: chunk.shared,
      used: chunk.used,
      queues: chunk.queues.filter(({ isKnown }) => !isKnown).map(({ name }) => name),
      room: {
        policy: lane.policy,
        share: lane.share,
        queues: [...lane.queues].map(({ name, cursor }) => ({ queue: name.number, after: cursor })),
      },
    });
    return result as Appended;
  }

  /** @throws SluiceError */
  async take(queue: Queue, into: SharedArrayBuffer): Promise<Taken> {
    const { cursor: after, committed: upTo } = queue;
    const result = await this.#file.ask({ kind: 'take', queue: queue.name.number, after, upTo, into });
    return result as Taken;
  }

  /** Whether so many bytes could be put down by this lane now. @throws SluiceError why not */
  async probe(need: number, { policy, share }: Lane): Promise<void> {
    await this.#file.ask({ kind: 'probe', need, room: { policy, share } });
  }

  /** @throws SluiceError */
  async remove(queue: Queue, first: number, last: number): Promise<Gone> {
    const result = await this.#file.ask({ kind: 'remove', queue: queue.name.number, first, last });
    return (result as { gone: Gone }).gone;
  }

  get #file(): Database {
    if (this.#database !== undefined) return this.#database;
    throw new SluiceError('SLUICE_STORE_FAILED', 'the spool is not open');
  }
}

function sumOf(found: readonly Found[], of: (name: QueueName) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name, records } of found) counts.set(of(name), (counts.get(of(name)) ?? 0) + records);
  return counts;
}
