import { type Fault, type FrameCopy, faultOf, SluiceError } from '../runtime/index.js';
import type { Candidate } from './candidate.js';
import type { Delivery } from './delivery.js';
import type { ChainSpec, Generation, Probation } from './generation.js';
import { Judge } from './judge.js';
import { Lineage } from './lineage.js';
import type { ChainState, FromSandbox, Rehearsal, Restored } from './messages.js';
import type { SandboxPool } from './pool.js';
import { RecentFrames } from './recent-frames.js';
import { Recovery } from './recovery.js';
import { Refuser } from './refuser.js';
import type { Ring } from './ring.js';
import { CALL, MODE, type Mode } from './ring-words.js';
import { Seat } from './seat.js';
import type { SlotChange, SlotEvents, SlotState, WhenOpen } from './slot-events.js';
import { handedOver, type KeptState, StateKeeper, upToOf } from './state-keeper.js';
import { unless } from './unless.js';

type Told = Extract<FromSandbox, { kind: 'fault' | 'log' | 'state' | 'restored' | 'unsaved' }>;

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** Time that a batch gets to end by itself when nobody waits for it any more. */
const BORDER_MS = 100;
/** Frames that wait go in slabs of at least so many, whatever the last batches had to shrink to. */
const WAITING_BATCH = 64;

/**
 * Who serves a ring, and who follows when that one dies, fails too often or is replaced: the one before it, a fresh
 * instance of the same, or nobody for a while.
 */
export class Succession {
  readonly #ring: Ring;
  readonly #pool: SandboxPool;
  readonly #events: SlotEvents;
  readonly #seat: Seat;
  readonly #judge: Judge;
  readonly #recovery: Recovery;
  readonly #lineage = new Lineage();
  readonly #recent = new RecentFrames();
  readonly #refuser: Refuser;
  readonly #states: StateKeeper;
  #state: SlotState = 'stopped';
  /** Counts restarts and swaps: a restart that another has overtaken is of no more use. */
  #attempt = 0;
  #retryMs = RETRY_MIN_MS;
  #retry: NodeJS.Timeout | undefined;
  /** The next try of an open breaker. */
  #again: NodeJS.Timeout | undefined;
  #mode: Mode = MODE.normal;
  /** Counts stops: a swap that one has overtaken does not serve any more. */
  #stops = 0;
  /** Swaps and tries, one after the other. */
  #turns: Promise<unknown> = Promise.resolve();
  /** The thread that was halted last is gone. */
  #halted: Promise<void> = Promise.resolve();

  constructor(pool: SandboxPool, ring: Ring, events: SlotEvents) {
    this.#pool = pool;
    this.#ring = ring;
    this.#events = events;
    this.#recovery = new Recovery(ring);
    this.#states = new StateKeeper(ring);
    this.#refuser = new Refuser(this.#recovery, () => events.committed());
    this.#seat = new Seat(ring, {
      committed: () => this.#committed(),
      told: message => this.#told(message),
      died: (fault, stage, purpose) => this.#died(fault, stage, purpose),
    });
    this.#judge = new Judge({
      opened: (generation, again) => this.#opened(generation, again),
      closed: generation => this.#closed(generation),
      accepted: () => this.#goOn(MODE.normal),
      rejected: (generation, plugin, fault, frames) => this.#rollBack({ generation, plugin, fault, frames }),
      slow: (generation, frames, ms) =>
        events.changed?.({ kind: 'slow', generation, frames, ms, next: ring.batchLimit }),
    });
  }

  get state(): SlotState {
    return this.#state;
  }

  /** That serves, or did last. */
  get serving(): Generation | undefined {
    return this.#seat.generation;
  }

  /** The newest generation, which serves unless its breaker is open. */
  get current(): Generation | undefined {
    return this.#lineage.current;
  }

  /** Handles what a thread has posted and no event has brought yet. */
  drainPorts(): void {
    this.#seat.drainPorts();
  }

  /** Results are about to be handed over. */
  look(delivery: Delivery): void {
    const now = performance.now();
    this.#recent.look(delivery, now);
    this.#judge.look(delivery, this.#ring.taken - 1, now);
  }

  published(): void {
    this.#seat.wake();
    this.#refuser.published();
  }

  replaced(index: number, buffer: SharedArrayBuffer): void {
    this.#seat.replaced(index, buffer);
  }

  /** @throws SluiceError that names the step at which the candidate failed; who serves then serves on */
  swap(spec: ChainSpec): Promise<void> {
    return this.#inTurn(() => this.#swap(spec));
  }

  /** Those that serve or may come to. */
  get generations(): readonly Generation[] {
    const serving = this.#seat.generation;
    const { all } = this.#lineage;
    return serving === undefined || serving.isForbidden || all.includes(serving) ? all : [...all, serving];
  }

  /** What the first chain goes on from. */
  remember(states: readonly KeptState[]): void {
    this.#states.remember(states);
  }

  /** Resolves when its thread has ended. */
  async forbid(generation: Generation): Promise<void> {
    generation.forbid();
    this.#judge.leave(generation);
    const { current } = this;
    if (generation === this.#lineage.fallback) this.#lineage.dropFallback();
    if (this.#state === 'stopped') return;
    if (generation === current) this.#forbidNewest(generation);
    else if (generation === this.#seat.generation) {
      // It served in the stead of the newest, whose breaker is open, and which is tried again in its time.
      this.#leaveTo('open', () => {
        if (current !== undefined) this.#giveBack(current.nameOf(0), this.#framesGo);
      });
    }
    await this.#halted;
  }

  #forbidNewest(generation: Generation): void {
    clearTimeout(this.#again);
    const serves = this.#seat.isTaken && this.#seat.generation !== generation;
    const back = this.#lineage.rollBack();
    if (back === undefined) {
      this.#end();
      return;
    }
    this.#events.changed?.({ kind: 'forbidden', generation, back });
    if (serves) return;
    this.#refuseNoMore();
    this.#leaveTo('recovering', () => this.#restart(back));
  }

  /** Nobody serves, at once. What was not committed is as it was published. */
  #end(): void {
    this.#refuseNoMore();
    this.#state = 'stopped';
    this.#attempt++;
    clearTimeout(this.#retry);
    this.#halted = this.#halt().then(() => {
      if (this.#state === 'stopped') this.#recovery.release();
      // The word that the thread has ended can be faster than the word of its last commits.
      this.#events.committed();
    });
    this.#seat.stop();
  }

  /**
   * Nobody is going to serve for now, and yet what is published is not to wait: it goes where that of an open breaker
   * goes, until somebody serves.
   */
  leaveUnserved(): void {
    const attempt = this.#attempt;
    void this.#halted.then(() => {
      if (this.#state !== 'stopped' || attempt !== this.#attempt || this.#refuser.isOn) return;
      this.#recovery.release();
      const wanted = this.#events.whenOpen?.(false) ?? 'fallback';
      this.#giveBack(
        this.#seat.generation?.nameOf(0) ?? 'the route',
        wanted === 'fallback' ? 'spool' : wanted,
      );
    });
  }

  /** What is published comes back unseen by any plugin. */
  get givesBack(): boolean {
    return this.#refuser.isOn;
  }

  /** Goes on in a fresh thread, if it serves: what it has not committed is run there. */
  async renew(generation: Generation): Promise<void> {
    if (this.#state !== 'serving' || generation !== this.#seat.generation) return;
    this.#leaveTo('recovering', () => this.#restart(generation));
    await this.#halted;
  }

  /**
   * Drains what is published, flushes, and ends the thread. When the signal aborts, the thread ends at the border of the
   * batch that it is at, or by force if it does not get there; the rest stays as it was published.
   */
  stop(signal: AbortSignal): Promise<void> {
    const stopped = this.#stop(signal, this.#turns);
    // A swap that is asked for from here on starts it again, and not before it has stopped.
    this.#turns = stopped;
    return stopped;
  }

  async #stop(signal: AbortSignal, turns: Promise<unknown>): Promise<void> {
    await unless(signal, turns);
    this.#stops++;
    clearTimeout(this.#retry);
    if (this.#state === 'serving') await this.#seat.drain(signal);
    // The word that the thread has ended can be faster than the word of its last commits.
    this.#events.committed();
    this.#refuseNoMore();
    this.#state = 'stopped';
    clearTimeout(this.#again);
    await Promise.all([this.#seat.halt(BORDER_MS), this.#halted]);
    this.#events.committed();
    this.#seat.stop();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => {});
    return done;
  }

  async #swap(spec: ChainSpec): Promise<void> {
    if (this.#state === 'stopped') this.#state = 'starting';
    const stops = this.#stops;
    using candidate = await this.#pool.start(spec, this.#ring, this.#rehearsalOf(spec)).catch(thrown => {
      if (this.#state === 'starting') this.#state = 'stopped';
      throw thrown;
    });
    const before = this.#seat.generation;
    if (stops === this.#stops) await this.#vacate(candidate, spec);
    if (stops !== this.#stops)
      throw new SluiceError('SLUICE_SANDBOX_START', 'its route was stopped before it could take over');
    const forbidden = spec.forbids?.(candidate.facts);
    if (forbidden !== undefined) {
      this.#goBack();
      throw forbidden;
    }
    clearTimeout(this.#again);
    const next = this.#lineage.add(spec, this.#seat.generation);
    const from = before === undefined ? [] : [before];
    const probation = this.#lineage.fallback === undefined ? undefined : spec.probation;
    if (probation === undefined || probation.frames + probation.ms === 0)
      this.#serve(candidate, next, MODE.normal, from);
    else this.#serve(candidate, next, MODE.strict, from, probation);
  }

  /** The candidate was forbidden while the one before drained: that one has to be started again, if it still may be. */
  #goBack(): void {
    if (this.#state === 'starting') this.#state = 'stopped';
    if (this.#state !== 'serving' && this.#state !== 'recovering') return;
    const back = [this.#seat.generation, this.current].find(each => each?.isForbidden === false);
    this.#state = back === undefined ? 'stopped' : 'recovering';
    if (back !== undefined) void this.#restart(back);
  }

  /** A candidate is tried on its own vectors, where its code is new here, and on frames that what served has converted. */
  #rehearsalOf({ stages }: ChainSpec): Rehearsal {
    const known = this.#seat.generation?.spec.stages.map(({ code }) => code);
    const fresh = stages.flatMap(({ code }, index) => (known?.includes(code) ? [] : [index]));
    return { stages: fresh, frames: this.#recent.good };
  }

  /** Whoever serves finishes what is published, leaves its state, and then nobody serves. */
  async #vacate(candidate: Candidate, spec: ChainSpec): Promise<void> {
    const { generation } = this.#seat;
    const keeps = generation === undefined ? 0 : handedOver(generation, candidate, spec);
    if (this.#state === 'serving') await this.#seat.drain(undefined, keeps);
    // It may have died while it drained, or its breaker may have opened: what follows takes the place of its recovery.
    clearTimeout(this.#retry);
    this.#attempt++;
    const before = this.#seat.leave();
    if (before !== undefined) this.#pool.giveBack(before);
    await this.#halted;
    this.#recovery.release();
  }

  /** @param from whose state it may go on with, first choice first */
  #serve(
    candidate: Candidate,
    generation: Generation,
    mode: Mode,
    from: readonly Generation[],
    probation?: Probation,
  ): void {
    const sandbox = candidate.take();
    if (sandbox === undefined) return;
    this.#refuseNoMore();
    const isFirst = this.#seat.generation === undefined;
    this.#state = 'serving';
    this.#mode = mode;
    generation.facts = candidate.facts;
    generation.stateful = candidate.stateful;
    this.#judge.watch(generation, this.#ring.committed, probation);
    const states = this.#states.choices(generation, from, isFirst);
    if (!isFirst) this.#saveAgain(states[0], generation, from);
    const keeping = {
      generation: generation.number,
      states,
      every: generation.spec.snapshotEvery ?? 0,
      exports: !generation.isUnsaved,
      isFirst,
    };
    this.#states.forgetAllBut([generation, this.#lineage.current, this.#lineage.fallback]);
    this.#seat.take(sandbox, generation, mode, keeping);
    this.#events.changed?.({ kind: 'serving', generation });
  }

  /** What was saved last may be of a generation that was taken back, in a form that this one does not read. */
  #saveAgain(states: ChainState | undefined, generation: Generation, from: readonly Generation[]): void {
    const kept = states === undefined ? [] : this.#states.kept(states, generation);
    if (kept.length > 0) this.#events.saved?.(kept, this.#states.reachOf(from));
  }

  #committed(): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'serving') this.#retryMs = RETRY_MIN_MS;
    this.#events.committed();
  }

  #told(message: Told): void {
    switch (message.kind) {
      case 'log':
        this.#events.log(message.plugin, message.lines, message.lost);
        return;
      case 'state':
        this.#states.put(message);
        if (message.generation === this.#seat.generation?.number)
          this.#events.saved?.(this.#states.kept(message.states, this.#seat.generation), upToOf(message));
        return;
      case 'restored':
        this.#restored(message);
        return;
      case 'unsaved':
        this.#unsaved(message.fault, this.#nameOf(message.stage, message.fault));
        return;
      case 'fault':
        this.#failed(message);
        return;
      default:
        message satisfies never;
    }
  }

  #restored({ stage, from, refused }: Restored): void {
    const generation = this.#seat.generation as Generation;
    this.#events.restored?.({ plugin: generation.nameOf(stage), generation, from, refused });
  }

  #unsaved(fault: Fault, plugin: string): void {
    const generation = this.#seat.generation as Generation;
    generation.isUnsaved = true;
    this.#events.unsaved?.(fault, plugin);
  }

  #failed(message: Extract<Told, { kind: 'fault' }>): void {
    const { fault, stage, frames, again, gaveUp } = message;
    const plugin = this.#nameOf(stage, fault);
    if (gaveUp) {
      const generation = this.#seat.generation as Generation;
      this.#judge.gaveUp(fault, plugin);
      // Its trial had ended meanwhile: it is to go on with its slab, and nobody else.
      if (this.#state === 'serving') this.#leaveTo('recovering', () => this.#restart(generation));
      return;
    }
    this.#failedTogether(frames);
    this.#events.fault(fault, plugin, frames, again);
  }

  /** Fewer go together from now on. */
  #failedTogether(frames: number): void {
    if (frames > 1) this.#ring.batchLimit = Math.max(1, Math.floor(frames / 2));
  }

  /** The serving thread is gone: what it had not committed is run again by a fresh one. */
  #died(fault: Fault, where: number, purpose: number): void {
    if (this.#state === 'stopped') return;
    this.#state = 'recovering';
    const attempt = ++this.#attempt;
    const plugin = this.#nameOf(where, fault);
    const overState = purpose === CALL.import || purpose === CALL.export;
    if (overState) this.#diedOverState(fault, where, purpose);
    // That is no frame's doing.
    const stage = overState ? -1 : where;
    if (this.#mode === MODE.strict) {
      this.#recovery.release();
      this.#judge.gaveUp(fault, plugin);
    } else {
      const { frames, again } = this.#recovery.blame(stage, fault);
      if (frames > 0) this.#events.fault(fault, plugin, frames, again);
      if (again) {
        this.#failedTogether(frames);
        if (fault.code === 'SLUICE_GUEST_DEADLINE') this.#judge.tooSlow(fault, plugin);
      }
    }
    // What is refused is delivered by this, and can open the breaker.
    this.#events.committed();
    if (attempt !== this.#attempt) return;
    this.#events.restarted(fault, plugin);
    const generation = this.#seat.generation as Generation;
    if (!this.#seat.isDraining) void this.#restart(generation);
  }

  /** It is not tried again: the next instance begins without a state, or is not asked for its own. */
  #diedOverState(fault: Fault, stage: number, purpose: number): void {
    const generation = this.#seat.generation as Generation;
    const plugin = this.#nameOf(stage, fault);
    if (purpose === CALL.export) {
      this.#unsaved(fault, plugin);
      return;
    }
    this.#states.drop(generation);
    const refused: Fault = { ...fault, code: 'SLUICE_STATE_REFUSED' };
    this.#events.restored?.({ plugin, generation, from: undefined, refused });
  }

  async #restart(generation: Generation, from: readonly Generation[] = [generation]): Promise<void> {
    const attempt = ++this.#attempt;
    // Else somebody swapped or stopped meanwhile.
    const isWanted = (): boolean => this.#state === 'recovering' && attempt === this.#attempt;
    try {
      using candidate = await this.#pool.start(generation.spec, this.#ring);
      if (isWanted()) this.#serve(candidate, generation, this.#modeOf(generation), from);
    } catch (thrown) {
      if (isWanted()) this.#notStarted(generation, faultOf(thrown));
    }
  }

  /** On trial, frames go one by one; or all of them, where another generation is there for those that fail. */
  #modeOf({ breaker }: Generation): Mode {
    if (breaker?.state.kind !== 'half-open') return MODE.normal;
    return this.#framesGo === 'fallback' ? MODE.strict : MODE.probe;
  }

  #notStarted(generation: Generation, fault: Fault): void {
    // That there was no thread for it says nothing about the plugin.
    if (generation.breaker !== undefined && !fault.code.startsWith('SLUICE_SANDBOX_')) {
      this.#judge.watch(generation, this.#ring.committed);
      this.#judge.notStarted(fault, generation.nameOf(0, fault));
      return;
    }
    this.#state = 'failed';
    this.#events.failed(fault, this.#retryMs);
    this.#retry = setTimeout(() => {
      this.#state = 'recovering';
      void this.#restart(generation);
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  /** Where the frames of an open breaker go. */
  get #framesGo(): WhenOpen {
    const has = this.#lineage.fallback !== undefined;
    const wanted = this.#events.whenOpen?.(has) ?? 'fallback';
    return wanted === 'fallback' && !has ? 'spool' : wanted;
  }

  /** No call of this generation begins from here on; its frames go by policy once its thread is gone. */
  #opened(generation: Generation, again: boolean): void {
    if (generation !== this.current) this.#lineage.dropFallback();
    this.#ring.batchLimit = Math.max(this.#ring.batchLimit, WAITING_BATCH);
    const frames = this.#framesGo;
    this.#tryLater(generation, frames, again);
    const { fallback } = this.#lineage;
    if (frames === 'fallback' && fallback !== undefined)
      this.#leaveTo('recovering', () => this.#restart(fallback, [generation, fallback]));
    else
      this.#leaveTo('open', () => {
        this.#giveBack(generation.nameOf(0), frames);
      });
  }

  /** What is published comes back, to be refused, or because it has to wait elsewhere; else it waits in the ring. */
  #giveBack(plugin: string, frames: WhenOpen): void {
    const parks = frames === 'spool' && this.#events.parks?.() === true;
    if (parks || frames === 'refuse') this.#refuser.on(plugin, parks);
  }

  /** Somebody serves again, or the end has come: what was put aside while nobody did comes before what is not yet. */
  #refuseNoMore(): void {
    if (this.#refuser.putsAside) {
      this.#ring.publish();
      this.#refuser.now();
    }
    this.#refuser.off();
  }

  /** No call begins from here on. @param next once the thread is gone, unless somebody swaps or stops meanwhile */
  #leaveTo(state: 'recovering' | 'open', next: () => unknown): void {
    this.#state = state;
    const attempt = ++this.#attempt;
    this.#halted = this.#halt();
    void this.#halted.then(() => {
      if (this.#state === 'stopped' || attempt !== this.#attempt) return;
      this.#recovery.release();
      void next();
    });
  }

  /** Also of what was halted before and is not gone yet. */
  async #halt(): Promise<void> {
    await Promise.all([this.#halted, this.#seat.halt()]);
  }

  /** Tells of it, and winds the clock for the next try of the newest generation. */
  #tryLater(generation: Generation, frames: WhenOpen, again: boolean): void {
    const state = generation.breaker?.state;
    const newest = this.current?.breaker?.state;
    if (state?.kind !== 'open' || newest?.kind !== 'open') return;
    const retryMs =
      newest.retryAt === undefined ? undefined : Math.max(0, newest.retryAt - performance.now());
    if (generation === this.current && retryMs !== undefined) {
      clearTimeout(this.#again);
      this.#again = setTimeout(() => void this.#inTurn(() => this.#tryAgain(generation)), retryMs).unref();
    }
    this.#events.changed?.({ kind: 'opened', generation, cause: state.cause, retryMs, frames, again });
  }

  async #tryAgain(generation: Generation): Promise<void> {
    const { breaker } = generation;
    if (this.current !== generation || breaker?.state.kind !== 'open' || this.#state === 'stopped') return;
    const stops = this.#stops;
    const frames = this.#framesGo === 'fallback' ? this.#framesToRetry(generation) : [];
    generation.forgetKills();
    const start = this.#pool.start(generation.spec, this.#ring, { stages: [], frames });
    using candidate = await start.catch((thrown: unknown) => {
      const fault = faultOf(thrown);
      breaker.startFailed(performance.now(), generation.nameOf(0, fault), fault);
      this.#tryLater(generation, this.#framesGo, true);
      return undefined;
    });
    if (candidate === undefined || stops !== this.#stops) return;
    const before = this.#seat.generation ?? generation;
    await this.#vacate(candidate, generation.spec);
    if (stops !== this.#stops) return;
    if (generation.isForbidden) {
      this.#goBack();
      return;
    }
    // What it remembers may be what it fails over: from the second try on it begins without.
    const isStuck = before === generation && breaker.openings(performance.now()) > 1;
    // What is refused until here says nothing about the trial.
    this.#refuseNoMore();
    breaker.tryAgain(performance.now());
    this.#events.changed?.({ kind: 'half-open', generation });
    this.#serve(candidate, generation, this.#modeOf(generation), isStuck ? [] : [before, generation]);
  }

  /** Beside a fallback what it failed on is tried aside first: to fail on it once more must not stop what comes. */
  #framesToRetry({ spec }: Generation): FrameCopy[] {
    const withinMs = 2 * (spec.breaker?.longestPauseMs ?? 0);
    return [...this.#recent.good, ...this.#recent.bad(performance.now(), withinMs)];
  }

  #closed(generation: Generation): void {
    this.#goOn(MODE.normal);
    this.#events.changed?.({ kind: 'closed', generation });
  }

  #goOn(mode: Mode): void {
    this.#mode = mode;
    this.#seat.mode = mode;
  }

  /** It failed on probation: the one before runs what it failed on, and all that comes. */
  #rollBack(failed: Omit<Extract<SlotChange, { kind: 'rolled-back' }>, 'kind' | 'back'>): void {
    const back = this.#lineage.rollBack();
    if (back === undefined) return;
    this.#recent.lookNow();
    this.#events.changed?.({ kind: 'rolled-back', back, ...failed });
    this.#leaveTo('recovering', () => this.#restart(back));
  }

  #nameOf(stage: number, fault: Fault): string {
    return this.#seat.generation?.nameOf(stage, fault) ?? 'unknown';
  }
}
