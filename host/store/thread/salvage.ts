import type { DatabaseSync } from 'node:sqlite';
import { PLACES } from '../spool-file.js';

interface Found {
  readonly id: number;
  readonly since: number;
  readonly topic: number;
  readonly payload: number;
  readonly crc: number;
  readonly image: Uint8Array;
}

/** Longest step over records that cannot be read. */
const LONGEST_STEP = 2 ** 20;

/**
 * Copies what can be read of a damaged spool: queue by queue, over each damaged place in steps that grow,
 * as one page of SQLite holds many records. Returns how many records were saved.
 */
export function salvageSpool(from: DatabaseSync, into: DatabaseSync): number {
  let saved = 0;
  into.exec('BEGIN IMMEDIATE');
  try {
    for (const queue of readable(() => from.prepare('SELECT * FROM queue').iterate())) {
      const { id, sink, route, source, aside } = queue as Record<string, string | number>;
      const { records, bytes } = salvageQueue(from, into, Number(id));
      if (records === 0) continue;
      into
        .prepare('INSERT OR IGNORE INTO queue VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(
          id as number,
          sink as string,
          route as string,
          source as string,
          aside as number,
          records,
          bytes,
        );
      saved += records;
    }
    into.exec('COMMIT');
  } catch (thrown) {
    into.exec('ROLLBACK');
    throw thrown;
  }
  return saved;
}

function salvageQueue(
  from: DatabaseSync,
  into: DatabaseSync,
  queue: number,
): { records: number; bytes: number } {
  const insert = into.prepare('INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?)');
  const select = from.prepare('SELECT * FROM record WHERE id >= ? AND id < ? ORDER BY id');
  const end = (queue + 1) * PLACES;
  let records = 0;
  let bytes = 0;
  let next = queue * PLACES;
  for (let step = 1; next < end && step <= LONGEST_STEP; ) {
    let whole = true;
    const rows = readable(
      () => select.iterate(next, end),
      () => {
        whole = false;
      },
    );
    for (const row of rows) {
      const { id, since, topic, payload, crc, image } = row as Found;
      insert.run(id, since, topic, payload, crc, image);
      next = id + 1;
      step = 1;
      records++;
      bytes += image.length;
    }
    if (whole) break;
    next += step;
    step *= 2;
  }
  return { records, bytes };
}

/** Rows up to the first that cannot be read. */
function* readable(rows: () => Iterable<unknown>, broken: () => void = () => {}): Generator<unknown> {
  try {
    yield* rows();
  } catch {
    broken();
  }
}
