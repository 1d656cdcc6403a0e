import type { SluiceError } from '../../../runtime/index.js';
import type { ChainSpec, Slot } from '../../../sandbox/index.js';
import { forbidden, hasSameCaps, hasSmallerCaps } from './chain-of.js';

/** What a changed policy means for a slot. */
export interface Enforced {
  /** Why its newest generation may not run any more. */
  readonly stopped?: SluiceError;
  /** It may, with other caps than those it was started with; `shrinks`: it may hold more than it is to have. */
  readonly caps: 'same' | 'other' | 'shrinks';
  /** Resolves when what may not run any more has ended. */
  readonly ended: Promise<void>;
}

/**
 * Judges everything that serves in a slot, or may come to, by the facts of its modules: what is forbidden is ended, at
 * once; all else goes on as it is, and follows the new rules when it is started again.
 * @param chain the same under the policy of now; undefined: not known
 */
export function enforce(slot: Slot, chain: (before: ChainSpec) => ChainSpec | undefined): Enforced {
  let stopped: SluiceError | undefined;
  let caps: Enforced['caps'] = 'same';
  const ended: Promise<void>[] = [];
  if (slot.state === 'stopped') return { caps, ended: Promise.resolve() };
  const newest = slot.current;
  for (const generation of slot.generations) {
    const next = chain(generation.spec);
    if (next === undefined) continue;
    const error = forbidden(next.stages, generation.facts);
    if (error !== undefined) {
      ended.push(slot.forbid(generation));
      if (generation === newest) stopped = error;
      continue;
    }
    const [isSame, shrinks] = [hasSameCaps(generation.spec, next), hasSmallerCaps(generation.spec, next)];
    generation.regrant(next);
    if (isSame) continue;
    // A fallback that waits for its turn starts with them; one that serves does so now.
    if (generation === newest) caps = shrinks ? 'shrinks' : 'other';
    else ended.push(slot.renew(generation));
  }
  return {
    ...(stopped === undefined ? {} : { stopped }),
    caps,
    ended: Promise.all(ended).then(() => {}),
  };
}
