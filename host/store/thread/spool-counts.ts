import type { Gone } from '../messages.js';
import { PLACES } from '../spool-file.js';
import type { StoreFile } from './store-file.js';

const COUNT = 'UPDATE queue SET records = records + ?, bytes = bytes + ? WHERE id = ?';
const BYTES = 'SELECT total(length(image)) AS bytes FROM record WHERE id >= ? AND id <= ?';
const DELETE = 'DELETE FROM record WHERE id >= ? AND id <= ?';

/** Keeps the sums of a queue with its records, so that nobody has to count a million of them at a start. */
export function count(file: StoreFile, queue: number, records: number, bytes: number): void {
  if (records !== 0) file.statement(COUNT).run(records, bytes, queue);
}

/** Deletes the records of these places. */
export function removeRange(file: StoreFile, queue: number, first: number, last: number): Gone {
  const from = queue * PLACES + first;
  const to = queue * PLACES + last;
  const { bytes } = file.statement(BYTES).get(from, to) as { bytes: number };
  const records = Number(file.statement(DELETE).run(from, to).changes);
  count(file, queue, -records, -bytes);
  return { queue, records, bytes };
}
