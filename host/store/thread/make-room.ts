import { SluiceError } from '../../../runtime/index.js';
import type { GivenUp, Room } from '../messages.js';
import { PLACES } from '../spool-file.js';
import { removeRange } from './spool-counts.js';
import type { StoreFile } from './store-file.js';
import { thin } from './thin.js';

/** Pages beyond the bytes of a chunk that its records can take, and that deletions may need for a while. */
const MORE_PAGES = 16;
/** Records that are given up at once. */
const SLICE = 512;

const RECORDS = 'SELECT records FROM queue WHERE id = ?';
const FIRST = 'SELECT id FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT ?';
const SINCE = 'SELECT since FROM record WHERE id > ? AND id < ? ORDER BY id LIMIT 1';

type Candidate = Room['queues'][number];

/**
 * Sees to it that `need` bytes more fit the file, by the policy of who wants to write.
 * `keep-newest`: the oldest records of its longest queue go. `down-sample`: its longest queue is thinned (thin.ts).
 * @throws SluiceError SLUICE_STORE_FULL when the policy, or what there is to give up, does not allow it
 */
export function makeRoom(file: StoreFile, need: number, { policy, share, queues }: Room): GivenUp[] {
  if (!file.mayGrow) throw new SluiceError('SLUICE_STORE_FULL', `${file.path}: the disk is full`);
  const gone: GivenUp[] = [];
  const most = file.maxBytes * share;
  const open = queues.map(({ queue, after }) => ({ queue, after: firmOf(file, queue, after) }));
  while (!fits(file, need, most)) {
    const longest = policy === 'keep-all' ? undefined : longestOf(file, open);
    const given =
      longest === undefined
        ? undefined
        : policy === 'keep-newest'
          ? dropOldest(file, longest)
          : thin(file, longest);
    if (given === undefined || given.records === 0) {
      throw new SluiceError(
        'SLUICE_STORE_FULL',
        share < 1
          ? `${file.path} is at its bound of ${mib(most)} MiB for frames that wait for plugins; the rest is for sinks`
          : `${file.path} is at its bound of ${mib(most)} MiB`,
      );
    }
    gone.push(given);
  }
  return gone;
}

/** Who asks may not know yet what is on its way to him. */
function firmOf(file: StoreFile, queue: number, after: number): number {
  return Math.max(after, file.handedOn.get(queue) ?? 0);
}

function fits(file: StoreFile, need: number, most: number): boolean {
  return file.usedBytes + need + need / 8 + MORE_PAGES * file.pageSize <= most;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1).replace('.0', '');
}

function longestOf(file: StoreFile, queues: readonly Candidate[]): Candidate | undefined {
  let longest: Candidate | undefined;
  let most = 0;
  for (const candidate of queues) {
    const row = file.statement(RECORDS).get(candidate.queue) as { records: number } | undefined;
    if ((row?.records ?? 0) <= most) continue;
    longest = candidate;
    most = row?.records ?? 0;
  }
  return longest;
}

function dropOldest(file: StoreFile, { queue, after }: Candidate): GivenUp {
  const base = queue * PLACES;
  const found = file.statement(FIRST).all(base + after, base + PLACES, SLICE) as unknown as { id: number }[];
  const places = found.map(({ id }) => id - base);
  const last = places.at(-1);
  if (last === undefined) return { queue, records: 0, bytes: 0, places };
  const gone = { ...removeRange(file, queue, after + 1, last), places };
  const left = file.statement(SINCE).get(base + last, base + PLACES) as { since: number } | undefined;
  return left === undefined ? gone : { ...gone, oldest: left.since };
}
