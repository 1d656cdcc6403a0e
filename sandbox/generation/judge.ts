import { type Fault, isFault, LIMITS } from '../../runtime/index.js';
import type { Delivery } from '../ring/delivery.js';
import type { Generation, Probation } from './generation.js';

export interface JudgeEvents {
  /** No guest of this generation is to be called any more. @param again it was on trial */
  opened(generation: Generation, again: boolean): void;
  /** It has stood its trial. */
  closed(generation: Generation): void;
  /** It failed on probation. @param frames that it had dealt with */
  rejected(generation: Generation, plugin: string, fault: Fault, frames: number): void;
  /** Its probation is over. */
  accepted(generation: Generation): void;
  /** A batch took longer than its budget, and is not killed for it. */
  slow(generation: Generation, frames: number, ms: number): void;
}

/** Looks at what the serving generation delivers, tells its breaker, and tells the slot what follows. */
export class Judge {
  readonly #events: JudgeEvents;
  #generation: Generation | undefined;
  /** Slabs before this one were run by another. */
  #from = 0;
  /** Undefined: not on probation. */
  #probation: { readonly until: number; readonly frames: number } | undefined;
  /** Frames that it has dealt with on probation. */
  #seen = 0;

  constructor(events: JudgeEvents) {
    this.#events = events;
  }

  /** @param from first slab that it runs, @param probation what follows a fault is another generation's */
  watch(generation: Generation, from: number, probation?: Probation): void {
    this.#generation = generation;
    this.#from = from;
    this.#seen = 0;
    this.#probation = probation && { frames: probation.frames, until: performance.now() + probation.ms };
  }

  /** What comes from it still is of no more interest. */
  leave(generation: Generation): void {
    if (this.#generation !== generation) return;
    this.#probation = undefined;
    this.#generation = undefined;
  }

  /** @param sequence of its slab, @param now milliseconds that never jump */
  look(delivery: Delivery, sequence: number, now: number): void {
    const generation = this.#generation;
    if (generation === undefined || ((sequence - this.#from) | 0) < 0) return;
    this.#countProbation(delivery, generation, now);
    const { breaker } = generation;
    // While it is open, what comes was under way when it opened, or was refused by the host.
    if (breaker === undefined || breaker.state.kind === 'open') return;
    const before = breaker.state.kind;
    const { begin, end, micros } = delivery;
    if (delivery.faults > 0) this.#lookAtEach(delivery, generation, now);
    else if (!delivery.isFlush) breaker.good(now, end - begin);
    // A run frame by frame has fresh instances in it: its time is not that of the guest alone.
    if (!delivery.isFlush && !delivery.isIsolated) {
      const ms = micros / 1000;
      const slow = ms > generation.budgetMs;
      if (slow) this.#events.slow(generation, end - begin, ms);
      breaker.batch(now, slow, generation.nameOf(0), () => overBudget(generation, ms));
    }
    this.#tell(generation, before);
  }

  /** Faults of a slab behind which its thread may go on by itself, before somebody has to decide whether it still may. */
  bears(now: number): number {
    const generation = this.#generation;
    if (generation === undefined || this.#probation !== undefined) return 0;
    return generation.breaker?.bears(now) ?? LIMITS.batch;
  }

  /** A call has failed for which there is no outcome: another generation is to run the slab. */
  gaveUp(fault: Fault, plugin: string): void {
    if (this.#reject(plugin, fault)) return;
    this.#with((generation, now) => generation.breaker?.fault(now, plugin, fault));
  }

  #countProbation(delivery: Delivery, generation: Generation, now: number): void {
    const probation = this.#probation;
    if (probation === undefined || delivery.isFlush) return;
    this.#seen += delivery.end - delivery.begin;
    if (this.#seen < probation.frames || now < probation.until) return;
    this.#probation = undefined;
    this.#events.accepted(generation);
  }

  /** True if it was on probation. */
  #reject(plugin: string, fault: Fault): boolean {
    if (this.#probation === undefined || this.#generation === undefined) return false;
    const generation = this.#generation;
    this.#probation = undefined;
    this.#generation = undefined;
    this.#events.rejected(generation, plugin, fault, this.#seen);
    return true;
  }

  /** A batch was killed for its time. */
  tooSlow(fault: Fault, plugin: string): void {
    this.#with((generation, now) => generation.breaker?.batch(now, true, plugin, () => fault));
  }

  /** A fresh instance of the generation that serves could not be started. */
  notStarted(fault: Fault, plugin: string): void {
    this.#with((generation, now) => generation.breaker?.startFailed(now, plugin, fault));
  }

  #with(work: (generation: Generation, now: number) => void): void {
    const generation = this.#generation;
    const before = generation?.breaker?.state.kind;
    if (generation === undefined || before === undefined) return;
    work(generation, performance.now());
    this.#tell(generation, before);
  }

  #lookAtEach(delivery: Delivery, generation: Generation, now: number): void {
    const { outcome, begin, end, isFlush } = delivery;
    const breaker = generation.breaker;
    for (let frame = begin; frame < end; frame++) {
      delivery.load(frame);
      const { code, stage } = outcome;
      if (code === undefined || !isFault(code)) {
        if (!isFlush) breaker?.good(now, 1);
        continue;
      }
      const plugin = generation.nameOf(stage);
      const fault = { code, message: outcome.text(delivery.slab), plugin };
      if (this.#reject(plugin, fault)) return;
      breaker?.fault(now, plugin, fault);
    }
  }

  #tell(generation: Generation, before: 'closed' | 'open' | 'half-open'): void {
    const state = generation.breaker?.state;
    if (state === undefined || state.kind === before || generation !== this.#generation) return;
    if (state.kind === 'closed') this.#events.closed(generation);
    // On probation it is taken back instead.
    else if (state.kind === 'open' && !this.#reject(state.cause.plugin, state.cause.fault))
      this.#events.opened(generation, before === 'half-open');
  }
}

function overBudget(generation: Generation, ms: number): Fault {
  const message = `a batch took ${Math.round(ms)} ms, over the budget of ${Math.round(generation.budgetMs)} ms`;
  return { code: 'SLUICE_GUEST_SLOW', message };
}
