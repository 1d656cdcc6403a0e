import { crc32 } from 'node:zlib';
import type { Append, Appended, Gone, Remove, Take, Taken } from '../messages.js';
import { CHUNK, PLACES, TAKEN } from '../spool-file.js';
import { makeRoom } from './make-room.js';
import { count, removeRange } from './spool-counts.js';
import type { StoreFile } from './store-file.js';

const INSERT = 'INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?)';
const NAME = 'INSERT OR IGNORE INTO queue(id, sink, route, source, aside) VALUES (?, ?, ?, ?, ?)';
const SELECT = 'SELECT id, since, crc, image FROM record WHERE id > ? AND id <= ? ORDER BY id';

interface Found {
  readonly id: number;
  readonly since: number;
  readonly crc: number;
  readonly image: Uint8Array;
}

/** Inside a transaction of the caller. @throws SluiceError SLUICE_STORE_FULL */
export function append(file: StoreFile, { chunk, used, queues, room }: Append): Appended {
  const gone = makeRoom(file, used, room);
  const name = file.statement(NAME);
  for (const { number, sink, route, source, aside } of queues)
    name.run(number, sink, route, source, aside ? 1 : 0);
  const insert = file.statement(INSERT);
  const bytes = Buffer.from(chunk);
  // Records of one queue lie one behind the other as a rule: its sums are written when another one begins.
  let current = -1;
  let records = 0;
  let sum = 0;
  for (let at = 0; at < used; ) {
    const size = bytes.readUInt32LE(at + CHUNK.size);
    const queue = bytes.readUInt32LE(at + CHUNK.queue);
    const image = bytes.subarray(at + CHUNK.header, at + CHUNK.header + size);
    if (queue !== current) {
      count(file, current, records, sum);
      current = queue;
      records = sum = 0;
    }
    const { changes } = insert.run(
      queue * PLACES + bytes.readDoubleLE(at + CHUNK.place),
      bytes.readDoubleLE(at + CHUNK.since),
      bytes.readUInt32LE(at + CHUNK.topic),
      bytes.readUInt32LE(at + CHUNK.payload),
      crc32(image),
      image,
    );
    // Else it is there already, from before a thread died over its answer.
    if (changes === 1) {
      records++;
      sum += size;
    }
    at += CHUNK.header + size;
  }
  count(file, current, records, sum);
  return { kind: 'appended', gone };
}

/** Copies as many records as fit. */
export function take(file: StoreFile, { queue, after, upTo, into }: Take): Taken {
  const out = Buffer.from(into);
  const base = queue * PLACES;
  let records = 0;
  let used = 0;
  let last = after;
  let damaged = 0;
  let needs = 0;
  for (const row of file.statement(SELECT).iterate(base + after, base + upTo)) {
    const { id, since, crc, image } = row as unknown as Found;
    const size = TAKEN.header + image.length;
    if (used + size > out.length) {
      if (records === 0) needs = size;
      break;
    }
    last = id - base;
    if (crc32(image) !== crc) {
      damaged++;
      continue;
    }
    out.writeUInt32LE(image.length, used + TAKEN.size);
    out.writeDoubleLE(last, used + TAKEN.place);
    out.writeDoubleLE(since, used + TAKEN.since);
    out.set(image, used + TAKEN.header);
    used += size;
    records++;
  }
  file.handedOn.set(queue, Math.max(last, file.handedOn.get(queue) ?? 0));
  return { kind: 'taken', records, used, last, damaged, needs };
}

/** Inside a transaction of the caller. */
export function remove(file: StoreFile, { queue, first, last }: Remove): Gone {
  const gone = removeRange(file, queue, first, last);
  file.shrink();
  return gone;
}
