import { after } from 'node:test';
import { SandboxPool } from '../../../sandbox/index.js';
import { SlotRig } from './slot-rig.js';

let pool: SandboxPool | undefined;
after(() => pool?.close());

/**
 * A rig on the threads of all such rigs in the process: the warm spare that one leaves is the thread of the next, and
 * a thread costs more than most tests. For tests that neither count threads nor change what the pool does.
 */
export function sharedRig(): SlotRig {
  pool ??= new SandboxPool({ threads: 8 });
  return new SlotRig(pool);
}
