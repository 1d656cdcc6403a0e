import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import { RecordWriter } from '../../../host/spool/record.js';
import type { Database } from '../../../host/store/database.js';
import type { Appended, Gone, Room, Taken } from '../../../host/store/messages.js';
import { MOST_QUEUES, SPOOL_SCHEMA, TAKEN } from '../../../host/store/spool-file.js';
import { Store } from '../../../host/store/store.js';
import type { Fault } from '../../../runtime/index.js';
import { viewOf } from '../mqtt/mqtt-view.js';

const ORIGIN = new Origins('gateway', '1').make('route', 'line1', false);
const KEEP_ALL: Room = { policy: 'keep-all', share: 1, queues: [] };

/** The tables of a spool, through the thread, without the sinks above it. */
export class SpoolFile {
  readonly faults: Fault[] = [];
  readonly store = new Store({ fault: fault => this.faults.push(fault) });
  #database: Database | undefined;

  /** @param path of spool.db */
  static async open(t: TestContext, path: string, maxBytes = 2 ** 26): Promise<SpoolFile> {
    const file = new SpoolFile();
    t.after(() => file.store.close());
    file.#database = await file.store.open({ path, schema: SPOOL_SCHEMA, maxBytes });
    return file;
  }

  get database(): Database {
    return this.#database as Database;
  }

  /** Records at these places, each with its place as payload, padded to `size`. */
  async append(
    queue: number,
    places: readonly number[],
    size = 10,
    room: Room = KEEP_ALL,
  ): Promise<Appended> {
    const writer = new RecordWriter();
    const parts = places.map(place => {
      const view = viewOf({ topic: 't', payload: String(place).padEnd(size, ' ') });
      const id = Object.assign(new FrameId(ORIGIN), { sequence: place });
      writer.measure(view, id);
      const part = Buffer.alloc(writer.size);
      writer.write(view, id, queue, place, 1000 + place, 0, part, 0);
      return part;
    });
    const bytes = Buffer.concat(parts);
    const chunk = new SharedArrayBuffer(bytes.length);
    bytes.copy(Buffer.from(chunk));
    const name = { number: queue, sink: 'plant', route: 'route', source: `source${queue}`, aside: false };
    const asked = { kind: 'append', chunk, used: bytes.length, queues: [name], room } as const;
    return (await this.database.ask(asked)) as Appended;
  }

  async take(queue: number, after = 0, upTo = 1e9, size = 2 ** 18): Promise<Taken & { places: number[] }> {
    const into = new SharedArrayBuffer(size);
    const taken = (await this.database.ask({ kind: 'take', queue, after, upTo, into })) as Taken;
    const bytes = Buffer.from(into);
    const places: number[] = [];
    for (let at = 0; at < taken.used; at += TAKEN.header + bytes.readUInt32LE(at + TAKEN.size))
      places.push(bytes.readDoubleLE(at + TAKEN.place));
    return { ...taken, places };
  }

  async remove(queue: number, first: number, last: number): Promise<Gone> {
    const result = await this.database.ask({ kind: 'remove', queue, first, last });
    return (result as { gone: Gone }).gone;
  }

  /** Places of all records of a queue, over as many takes as it needs. */
  async all(queue: number): Promise<number[]> {
    const found: number[] = [];
    for (let after = 0; ; ) {
      const { places, last, damaged } = await this.take(queue, after);
      if (places.length === 0 && damaged === 0) return found;
      found.push(...places);
      after = last;
    }
  }

  /** What the file itself keeps as the sum of a queue. */
  async records(queue: number): Promise<number> {
    const [row] = await this.database.read('SELECT records FROM queue WHERE id = ?', queue);
    return Number(row?.records ?? 0);
  }
}

/** first, first + 1, ..., `count` of them. */
export function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

/** Makes a spool.db in which there are as many queues as there can be, none of them of a source that is still there. */
export function useAllQueues(path: string): void {
  using spool = new DatabaseSync(path);
  spool.exec(SPOOL_SCHEMA);
  spool.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MOST_QUEUES - 1})
    INSERT INTO queue SELECT i, 'gone', 'r', 's' || i, 0, 1, 1 FROM n`);
}
