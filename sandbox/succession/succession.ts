import type { ChainSpec, Generation } from '../generation/generation.js';
import { Judge } from '../generation/judge.js';
import { Lineage } from '../generation/lineage.js';
import type { SandboxPool } from '../pool/pool.js';
import type { Delivery } from '../ring/delivery.js';
import { Recovery } from '../ring/recovery.js';
import type { Ring } from '../ring/ring.js';
import { MODE } from '../ring/ring-words.js';
import { Seat } from '../seat/seat.js';
import { unless } from '../seat/unless.js';
import { Handover } from './handover.js';
import { Interregnum } from './interregnum.js';
import { News } from './news.js';
import { RecentFrames } from './recent-frames.js';
import { Reign } from './reign.js';
import type { ReignParts } from './reign-parts.js';
import type { SlotChange, SlotEvents, SlotState } from './slot-events.js';
import { type KeptState, StateKeeper } from './state-keeper.js';
import { Trials } from './trials.js';
import { Turns } from './turns.js';

/**
 * Who serves a ring, and who follows when that one dies, fails too often or is replaced: the one before it, a fresh
 * instance of the same, or nobody for a while.
 */
export class Succession {
  readonly #parts: ReignParts;
  readonly #reign: Reign;
  readonly #recent = new RecentFrames();
  readonly #turns = new Turns();
  readonly #trials: Trials;
  readonly #handover: Handover;

  constructor(pool: SandboxPool, ring: Ring, events: SlotEvents) {
    const recovery = new Recovery(ring);
    const lineage = new Lineage();
    this.#parts = {
      pool,
      ring,
      events,
      recovery,
      lineage,
      states: new StateKeeper(ring),
      interregnum: new Interregnum(ring, recovery, lineage, events),
      seat: new Seat(ring, {
        committed: () => this.#reign.committed(),
        told: message => news.told(message),
        died: (fault, stage, purpose) => news.died(fault, stage, purpose),
      }),
      judge: new Judge({
        opened: (generation, again) => this.#trials.opened(generation, again),
        closed: generation => this.#trials.closed(generation),
        accepted: () => this.#reign.goOn(MODE.normal),
        rejected: (generation, plugin, fault, frames) =>
          this.#rollBack({ generation, plugin, fault, frames }),
        slow: (generation, frames, ms) =>
          events.changed?.({ kind: 'slow', generation, frames, ms, next: ring.batchLimit }),
      }),
    };
    this.#reign = new Reign(this.#parts);
    const news = new News(this.#parts, this.#reign);
    this.#trials = new Trials(this.#parts, this.#reign, this.#recent, this.#turns);
    this.#handover = new Handover(this.#parts, this.#reign, this.#recent, this.#turns, this.#trials);
  }

  get state(): SlotState {
    return this.#reign.state;
  }

  /** That serves, or did last. */
  get serving(): Generation | undefined {
    return this.#parts.seat.generation;
  }

  /** The newest generation, which serves unless its breaker is open. */
  get current(): Generation | undefined {
    return this.#parts.lineage.current;
  }

  /** Those that serve or may come to. */
  get generations(): readonly Generation[] {
    const { serving } = this;
    const { all } = this.#parts.lineage;
    return serving === undefined || serving.isForbidden || all.includes(serving) ? all : [...all, serving];
  }

  /** What is published comes back unseen by any plugin. */
  get givesBack(): boolean {
    return this.#parts.interregnum.givesBack;
  }

  /** Handles what a thread has posted and no event has brought yet. */
  drainPorts(): void {
    this.#parts.seat.drainPorts();
  }

  /** Results are about to be handed over. */
  look(delivery: Delivery): void {
    const now = performance.now();
    const { judge, ring } = this.#parts;
    this.#recent.look(delivery, ring.taken - 1, now);
    judge.look(delivery, ring.taken - 1, now);
    ring.bear(judge.bears(now));
  }

  published(): void {
    this.#parts.seat.wake();
    this.#parts.interregnum.published();
  }

  replaced(index: number, buffer: SharedArrayBuffer): void {
    this.#parts.seat.replaced(index, buffer);
  }

  /** What the first chain goes on from. */
  remember(states: readonly KeptState[]): void {
    this.#parts.states.remember(states);
  }

  /** @throws SluiceError that names the step at which the candidate failed; who serves then serves on */
  swap(spec: ChainSpec): Promise<void> {
    return this.#turns.take(() => this.#handover.to(spec));
  }

  /** Resolves when its thread has ended. */
  async forbid(generation: Generation): Promise<void> {
    const { judge, lineage, seat, interregnum } = this.#parts;
    generation.forbid();
    judge.leave(generation);
    const { current } = lineage;
    if (generation === lineage.fallback) lineage.dropFallback();
    if (this.state === 'stopped') return;
    if (generation === current) this.#forbidNewest(generation);
    else if (generation === seat.generation) {
      // It served in the stead of the newest, whose breaker is open, and which is tried again in its time.
      this.#reign.leaveTo('open', () => {
        if (current !== undefined) interregnum.giveBack(current.nameOf(0), interregnum.framesGo);
      });
    }
    await this.#reign.halted;
  }

  #forbidNewest(generation: Generation): void {
    const { seat, lineage, interregnum, events } = this.#parts;
    this.#trials.cancel();
    const serves = seat.isTaken && seat.generation !== generation;
    const back = lineage.rollBack();
    if (back === undefined) {
      this.#reign.end();
      return;
    }
    events.changed?.({ kind: 'forbidden', generation, back });
    if (serves) return;
    interregnum.end();
    this.#reign.leaveTo('recovering', () => this.#reign.restart(back));
  }

  /**
   * Nobody is going to serve for now, and yet what is published is not to wait: it goes where that of an open breaker
   * goes, until somebody serves.
   */
  leaveUnserved(): void {
    this.#reign.leaveUnserved();
  }

  /** Goes on in a fresh thread, if it serves: what it has not committed is run there. */
  async renew(generation: Generation): Promise<void> {
    if (this.state !== 'serving' || generation !== this.serving) return;
    this.#reign.leaveTo('recovering', () => this.#reign.restart(generation));
    await this.#reign.halted;
  }

  /**
   * Drains what is published, flushes, and ends the thread. When the signal aborts, the thread ends at the border of the
   * batch that it is at, or by force if it does not get there; the rest stays as it was published.
   */
  stop(signal: AbortSignal): Promise<void> {
    // A swap that is asked for from here on starts it again, and not before it has stopped.
    return this.#turns.stop(async before => {
      await unless(signal, before);
      this.#turns.overtake();
      await this.#reign.finish(signal);
      this.#trials.cancel();
      await this.#reign.close();
    });
  }

  /** It failed on probation: the one before runs what it failed on, and all that comes. */
  #rollBack(failed: Omit<Extract<SlotChange, { kind: 'rolled-back' }>, 'kind' | 'back'>): void {
    const back = this.#parts.lineage.rollBack();
    if (back === undefined) return;
    this.#recent.lookUntil(this.#parts.ring.committed);
    this.#parts.events.changed?.({ kind: 'rolled-back', back, ...failed });
    this.#reign.leaveTo('recovering', () => this.#reign.restart(back));
  }
}
