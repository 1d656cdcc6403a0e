import type { Judge } from '../generation/judge.js';
import type { Lineage } from '../generation/lineage.js';
import type { SandboxPool } from '../pool/pool.js';
import type { Recovery } from '../ring/recovery.js';
import type { Ring } from '../ring/ring.js';
import type { Seat } from '../seat/seat.js';
import type { Interregnum } from './interregnum.js';
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
