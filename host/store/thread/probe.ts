import type { Room } from '../messages.js';
import { makeRoom } from './make-room.js';
import type { StoreFile } from './store-file.js';

/**
 * Finds out whether `need` bytes could be written, by writing: the page that every file has, as it is. Inside a
 * transaction of the caller.
 * @throws SluiceError SLUICE_STORE_FULL, and as SQLite throws
 */
export function probe(file: StoreFile, need: number, { policy, share }: Omit<Room, 'queues'>): void {
  // Under the other policies what is old would make room, as long as the disk has some.
  const most = policy === 'keep-all' ? share : Number.POSITIVE_INFINITY;
  makeRoom(file, need, { policy: 'keep-all', share: most, queues: [] });
  file.touch();
}
