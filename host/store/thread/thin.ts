import type { GivenUp, Room } from '../messages.js';
import { PLACES } from '../spool-file.js';
import { count } from './spool-counts.js';
import type { StoreFile } from './store-file.js';

/** Records that are looked at together: a part of the queue, and no more than this. */
const MOST_SLICE = 512;
const LEAST_SLICE = 16;
const SLICES = 32;
/** Slices that are this much sparser than the average are left as they are. */
const MARGIN = 1.05;

const PART = 'FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT ?';
const BOUNDS = `SELECT min(id) AS first, max(id) AS last, count(*) AS records FROM (SELECT id ${PART})`;
const RECORDS = 'SELECT records FROM queue WHERE id = ?';
const NTH = 'SELECT id FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?';
const DELETE = 'DELETE FROM record WHERE id >= ? AND id <= ?';
const AGAIN = 'INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)';

type Candidate = Room['queues'][number];

/** A walk over the older half of a queue. */
interface Pass {
  at: number;
  readonly end: number;
  readonly slice: number;
  /** Slices with more places to a record than this are sparse enough. */
  readonly most: number;
  gave: boolean;
}

/** Walks that are under way, by the number of the queue. */
const passes = new Map<number, Pass>();

interface Part {
  readonly id: number;
  readonly since: number;
  readonly topic: number;
  readonly payload: number;
  readonly crc: number;
  readonly image: Uint8Array;
}

/**
 * Of the older half of a queue every second record goes, where they lie closer together than on average. So the
 * newer half stays whole, and the older half becomes an even sample of all the time before, with wider and wider
 * steps. Some of it at a call; `records` is 0 when there is nothing to give up.
 */
export function thin(file: StoreFile, candidate: Candidate): GivenUp {
  const { queue } = candidate;
  const known = passes.get(queue);
  // What has been handed on since is not given up: it is under way.
  if (known !== undefined) known.at = Math.max(known.at, queue * PLACES + candidate.after);
  for (let pass = known ?? newPass(file, candidate, false); ; ) {
    const bounds = file.statement(BOUNDS).get(pass.at, pass.end, pass.slice) as unknown as Bounds;
    const { first, last, records } = bounds;
    if (first === null || last === null || records < 2) {
      passes.delete(queue);
      // At its end; if it found nothing close enough, everything is looked at.
      if (pass.most === Number.POSITIVE_INFINITY && !pass.gave)
        return { queue, records: 0, bytes: 0, places: [] };
      pass = newPass(file, candidate, !pass.gave);
      continue;
    }
    const begin = pass.at;
    pass.at = last;
    if ((last - first) / (records - 1) > pass.most) continue;
    pass.gave = true;
    return halve(file, queue, begin, pass, first, last);
  }
}

interface Bounds {
  readonly first: number | null;
  readonly last: number | null;
  readonly records: number;
}

/** All of the slice goes and half comes back: pages that are half empty would be of use to nobody. */
function halve(
  file: StoreFile,
  queue: number,
  begin: number,
  { end, slice }: Pass,
  first: number,
  last: number,
): GivenUp {
  const part = file.statement(`SELECT * ${PART}`).all(begin, end, slice) as unknown as Part[];
  file.statement(DELETE).run(first, last);
  const again = file.statement(AGAIN);
  const places: number[] = [];
  let bytes = 0;
  for (const [index, { id, since, topic, payload, crc, image }] of part.entries()) {
    if (index % 2 === 1) again.run(id, since, topic, payload, crc, image);
    else {
      places.push(id - queue * PLACES);
      bytes += image.length;
    }
  }
  count(file, queue, -places.length, -bytes);
  return { queue, records: places.length, bytes, places };
}

function newPass(file: StoreFile, { queue, after }: Candidate, everything: boolean): Pass {
  const base = queue * PLACES;
  const { records } = file.statement(RECORDS).get(queue) as { records: number };
  const nth = file.statement(NTH);
  const first = nth.get(base + after, base + PLACES, 0) as { id: number } | undefined;
  const middle = nth.get(base + after, base + PLACES, records >> 1) as { id: number } | undefined;
  const end = middle?.id ?? base + PLACES;
  const average = (end - (first?.id ?? end)) / Math.max(1, records >> 1);
  const pass = {
    at: base + after,
    end,
    slice: Math.min(MOST_SLICE, Math.max(LEAST_SLICE, Math.floor(records / SLICES))),
    most: everything ? Number.POSITIVE_INFINITY : average * MARGIN,
    gave: false,
  };
  passes.set(queue, pass);
  return pass;
}
