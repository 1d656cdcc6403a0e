import { LIMITS } from '../../runtime/index.js';
import type { Delivery } from '../ring/delivery.js';
import type { Ring } from '../ring/ring.js';

/**
 * Sets how many frames the next batches of a ring may have, so that their expected time stays under a
 * quarter of the shortest deadline: down at once, up by doubling.
 */
export function pace(
  ring: Pick<Ring, 'batchLimit'>,
  delivery: Pick<Delivery, 'begin' | 'end' | 'isFlush' | 'micros'>,
  shortestMs: number,
): void {
  const frames = delivery.end - delivery.begin;
  // Times that the host has written in a dead thread's stead say nothing.
  if (frames === 0 || delivery.isFlush || delivery.micros < 0) return;
  const budget = (shortestMs * 1000) / 4;
  const perFrame = Math.max(delivery.micros, 1) / frames;
  const fits = Math.max(1, Math.min(LIMITS.batch, Math.floor(budget / perFrame)));
  ring.batchLimit = Math.min(fits, ring.batchLimit * 2);
}
