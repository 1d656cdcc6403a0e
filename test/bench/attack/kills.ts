import { SlotRig } from '../../support/chain/slot-rig.js';

const KILLS = 100;
/** With `--short`. */
const FEW_KILLS = 10;
const DEADLINE_MS = 100;
const START_MS = 200;
/** The first byte at which the guest `spin` never comes back. */
const POISON = Buffer.from([0xee]);

/**
 * A guest that hangs, on one slot: milliseconds from handing it the frame to the end of its thread, beyond the deadline
 * of its call. Sorted.
 */
export async function kills(short: boolean): Promise<number[]> {
  await using rig = new SlotRig();
  await rig.serve(['spin'], { deadlineMs: DEADLINE_MS, startDeadlineMs: START_MS });
  const beyond: number[] = [];
  for (let kill = 0; kill < (short ? FEW_KILLS : KILLS); kill++) {
    await rig.run([Buffer.from([1])]);
    const deaths = rig.restarts.length;
    const began = performance.now();
    await rig.push([POISON]);
    await rig.until(() => rig.restarts.length > deaths);
    beyond.push(performance.now() - began - DEADLINE_MS);
    await rig.settle();
  }
  return beyond.sort((a, b) => a - b);
}
