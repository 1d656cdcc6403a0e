import type { Interregnum } from './interregnum.js';
import type { Judge } from './judge.js';
import type { Lineage } from './lineage.js';
import type { SandboxPool } from './pool.js';
import type { Recovery } from './recovery.js';
import type { Ring } from './ring.js';
import type { Seat } from './seat.js';
import type { SlotEvents } from './slot-events.js';
import type { StateKeeper } from './state-keeper.js';

/** What those have in common who decide about the seat of a ring. */
export interface ReignParts {
  readonly pool: SandboxPool;
  readonly ring: Ring;
  readonly events: SlotEvents;
  readonly seat: Seat;
  readonly judge: Judge;
  readonly lineage: Lineage;
  readonly states: StateKeeper;
  readonly recovery: Recovery;
  readonly interregnum: Interregnum;
}
