import { type FrameCopy, faultOf } from '../../runtime/index.js';
import type { Generation } from '../generation/generation.js';
import { MODE } from '../ring/ring-words.js';
import type { RecentFrames } from './recent-frames.js';
import type { Reign } from './reign.js';
import type { ReignParts } from './reign-parts.js';
import type { WhenOpen } from './slot-events.js';
import type { Turns } from './turns.js';

/** Frames that wait go in slabs of at least so many, whatever the last batches had to shrink to. */
const WAITING_BATCH = 64;

/** What follows when a breaker opens: who serves meanwhile, and when the newest generation is tried again. */
export class Trials {
  readonly #parts: ReignParts;
  readonly #reign: Reign;
  readonly #recent: RecentFrames;
  readonly #turns: Turns;
  /** The next try. */
  #again: NodeJS.Timeout | undefined;

  constructor(parts: ReignParts, reign: Reign, recent: RecentFrames, turns: Turns) {
    this.#parts = parts;
    this.#reign = reign;
    this.#recent = recent;
    this.#turns = turns;
  }

  /** No call of this generation begins from here on; its frames go by policy once its thread is gone. */
  opened(generation: Generation, again: boolean): void {
    const { lineage, ring, interregnum } = this.#parts;
    if (generation !== lineage.current) lineage.dropFallback();
    ring.batchLimit = Math.max(ring.batchLimit, WAITING_BATCH);
    const frames = interregnum.framesGo;
    this.#tryLater(generation, frames, again);
    const { fallback } = lineage;
    if (frames === 'fallback' && fallback !== undefined)
      this.#reign.leaveTo('recovering', () => this.#reign.restart(fallback, [generation, fallback]));
    else this.#reign.leaveTo('open', () => interregnum.giveBack(generation.nameOf(0), frames));
  }

  /** It has stood its trial. */
  closed(generation: Generation): void {
    this.#reign.goOn(MODE.normal);
    this.#parts.events.changed?.({ kind: 'closed', generation });
  }

  /** There is nobody to be tried any more. */
  cancel(): void {
    clearTimeout(this.#again);
  }

  /** Tells of it, and winds the clock for the next try of the newest generation. */
  #tryLater(generation: Generation, frames: WhenOpen, again: boolean): void {
    const { current } = this.#parts.lineage;
    const state = generation.breaker?.state;
    const newest = current?.breaker?.state;
    if (state?.kind !== 'open' || newest?.kind !== 'open') return;
    const retryMs =
      newest.retryAt === undefined ? undefined : Math.max(0, newest.retryAt - performance.now());
    if (generation === current && retryMs !== undefined) {
      clearTimeout(this.#again);
      const tryAgain = () => void this.#turns.take(() => this.#tryAgain(generation));
      this.#again = setTimeout(tryAgain, retryMs).unref();
    }
    this.#parts.events.changed?.({ kind: 'opened', generation, cause: state.cause, retryMs, frames, again });
  }

  async #tryAgain(generation: Generation): Promise<void> {
    const { pool, ring, seat, lineage, interregnum, events } = this.#parts;
    const reign = this.#reign;
    const { breaker } = generation;
    if (lineage.current !== generation || breaker?.state.kind !== 'open' || reign.state === 'stopped') return;
    const isStopped = this.#turns.watchStops();
    const frames = interregnum.framesGo === 'fallback' ? this.#framesToRetry(generation) : [];
    generation.forgetKills();
    const start = pool.start(generation.spec, ring, { stages: [], frames });
    using candidate = await start.catch((thrown: unknown) => {
      const fault = faultOf(thrown);
      breaker.startFailed(performance.now(), generation.nameOf(0, fault), fault);
      this.#tryLater(generation, interregnum.framesGo, true);
      return undefined;
    });
    if (candidate === undefined || isStopped()) return;
    const before = seat.generation ?? generation;
    await reign.vacate(candidate, generation.spec);
    if (isStopped()) return;
    if (generation.isForbidden) {
      reign.goBack();
      return;
    }
    // What it remembers may be what it fails over: from the second try on it begins without.
    const isStuck = before === generation && breaker.openings(performance.now()) > 1;
    // What is refused until here says nothing about the trial.
    interregnum.end();
    breaker.tryAgain(performance.now());
    events.changed?.({ kind: 'half-open', generation });
    reign.serve(candidate, generation, reign.modeOf(generation), isStuck ? [] : [before, generation]);
  }

  /** Beside a fallback what it failed on is tried aside first: to fail on it once more must not stop what comes. */
  #framesToRetry({ spec }: Generation): FrameCopy[] {
    const withinMs = 2 * (spec.breaker?.longestPauseMs ?? 0);
    return [...this.#recent.good, ...this.#recent.bad(performance.now(), withinMs)];
  }
}
