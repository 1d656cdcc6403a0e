import { SluiceError } from '../../runtime/index.js';
import type { ChainSpec } from '../generation/generation.js';
import type { Rehearsal } from '../messages.js';
import { MODE } from '../ring/ring-words.js';
import type { RecentFrames } from './recent-frames.js';
import type { Reign } from './reign.js';
import type { ReignParts } from './reign-parts.js';
import type { Trials } from './trials.js';
import type { Turns } from './turns.js';

/** How a new generation comes to serve: it is rehearsed beside the one before, and takes over when that has drained. */
export class Handover {
  readonly #parts: ReignParts;
  readonly #reign: Reign;
  readonly #recent: RecentFrames;
  readonly #turns: Turns;
  readonly #trials: Trials;

  constructor(parts: ReignParts, reign: Reign, recent: RecentFrames, turns: Turns, trials: Trials) {
    this.#parts = parts;
    this.#reign = reign;
    this.#recent = recent;
    this.#turns = turns;
    this.#trials = trials;
  }

  /** @throws SluiceError that names the step at which the candidate failed; who serves then serves on */
  async to(spec: ChainSpec): Promise<void> {
    const { pool, ring, seat, lineage } = this.#parts;
    const reign = this.#reign;
    reign.begin();
    const isStopped = this.#turns.watchStops();
    using candidate = await pool.start(spec, ring, this.#rehearsalOf(spec)).catch(thrown => {
      reign.notBegun();
      throw thrown;
    });
    const before = seat.generation;
    if (!isStopped()) await reign.vacate(candidate, spec);
    if (isStopped())
      throw new SluiceError('SLUICE_SANDBOX_START', 'its route was stopped before it could take over');
    const forbidden = spec.forbids?.(candidate.facts);
    if (forbidden !== undefined) {
      reign.goBack();
      throw forbidden;
    }
    this.#trials.cancel();
    const next = lineage.add(spec, seat.generation);
    const from = before === undefined ? [] : [before];
    const probation = lineage.fallback === undefined ? undefined : spec.probation;
    if (probation === undefined || probation.frames + probation.ms === 0)
      reign.serve(candidate, next, MODE.normal, from);
    else reign.serve(candidate, next, MODE.strict, from, probation);
  }

  /** A candidate is tried on its own vectors, where its code is new here, and on frames that what served has converted. */
  #rehearsalOf({ stages }: ChainSpec): Rehearsal {
    const known = this.#parts.seat.generation?.spec.stages.map(({ code }) => code);
    const fresh = stages.flatMap(({ code }, index) => (known?.includes(code) ? [] : [index]));
    return { stages: fresh, frames: this.#recent.good };
  }
}
