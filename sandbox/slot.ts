import { type Fault, type FrameCopy, faultOf } from '../runtime/index.js';
import type { Delivery } from './delivery.js';
import { Gather } from './gather.js';
import type { ChainSpec, Generation } from './generation.js';
import { Judge } from './judge.js';
import { Lineage } from './lineage.js';
import type { FromSandbox, Rehearsal } from './messages.js';
import { pace } from './pace.js';
import type { SandboxPool } from './pool.js';
import { RecentFrames } from './recent-frames.js';
import { Recovery } from './recovery.js';
import { Refuser } from './refuser.js';
import { Ring } from './ring.js';
import { MODE, type Mode } from './ring-words.js';
import type { Sandbox } from './sandbox.js';
import { Seat } from './seat.js';
import type { SlotEvents, WhenOpen } from './slot-events.js';

/**
 * `open`: the breaker is, and no other generation serves in its stead; `failed`: no thread could be had for a fresh
 * instance, or it did not start and there is no breaker.
 */
export type SlotState = 'stopped' | 'starting' | 'serving' | 'recovering' | 'open' | 'failed';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
const WAITING_BATCH = 64;

/**
 * A stable place in a route: its ring stays, the generation behind it can be swapped. A reload starts the
 * candidate beside the serving one, lets that one drain what was published before, and hands the ring
 * over; frames go on being written all the while.
 */
export class Slot {
  readonly ring: Ring;
  readonly #pool: SandboxPool;
  readonly #events: SlotEvents;
  readonly #seat: Seat;
  readonly #judge: Judge;
  readonly #recovery: Recovery;
  readonly #gather: Gather;
  #state: SlotState = 'stopped';
  readonly #lineage = new Lineage();
  readonly #recent = new RecentFrames();
  readonly #refuser: Refuser;
  /** Counts restarts and swaps: a restart that another has overtaken is of no more use. */
  #attempt = 0;
  #retryMs = RETRY_MIN_MS;
  #retry: NodeJS.Timeout | undefined;
  /** The next try of an open breaker. */
  #again: NodeJS.Timeout | undefined;
  #mode: Mode = MODE.normal;
  /** Swaps and tries, one after the other. */
  #turns: Promise<unknown> = Promise.resolve();
  /** The thread that was halted last is gone. */
  #halted: Promise<void> = Promise.resolve();

  constructor(pool: SandboxPool, events: SlotEvents) {
    this.#pool = pool;
    this.#events = events;
    this.ring = new Ring({
      published: () => this.#published(),
      replaced: (index, buffer) => this.#seat.replaced(index, buffer),
    });
    this.#recovery = new Recovery(this.ring);
    this.#refuser = new Refuser(this.#recovery, () => this.#committed());
    this.#seat = new Seat(this.ring, {
      committed: () => this.#committed(),
      told: message => this.#told(message),
      died: (fault, stage) => this.#died(fault, stage),
    });
    this.#gather = new Gather(
      () => this.ring.waiting,
      () => this.ring.publish(),
    );
    this.#judge = new Judge({
      opened: (generation, again) => this.#opened(generation, again),
      closed: generation => this.#closed(generation),
      slow: (generation, frames, ms) => this.#events.changed?.({ kind: 'slow', generation, frames, ms }),
    });
  }

  get state(): SlotState {
    return this.#state;
  }

  /** Number of the generation that serves, or did last; 0: none ever has. */
  get generation(): number {
    return this.#seat.generation?.number ?? 0;
  }

  get spec(): ChainSpec | undefined {
    return this.#seat.generation?.spec;
  }

  /** The newest generation, which serves unless its breaker is open. */
  get current(): Generation | undefined {
    return this.#lineage.current;
  }

  /** The next committed slab, or undefined. */
  next(): Delivery | undefined {
    // The route may ask before an event tells of the commit, and of the larger slab that may go with it.
    if (!this.ring.ready) return undefined;
    this.#seat.drainPorts();
    const delivery = this.ring.next();
    const generation = this.#seat.generation;
    if (delivery === undefined || generation === undefined) return delivery;
    pace(this.ring, delivery, generation.shortest);
    const now = performance.now();
    this.#recent.look(delivery, now);
    this.#judge.look(delivery, this.ring.taken - 1, now);
    return delivery;
  }

  ack(): void {
    this.ring.ack();
  }

  /** What was written in this turn may go: now if the sandbox is idle, else as the next batch. */
  turnEnded(): void {
    const { waiting, outstanding } = this.ring;
    if (waiting > 0 && outstanding === 0) this.#gather.offer(waiting);
  }

  /**
   * Starts a chain, or swaps the serving one for it, one swap after the other. On an error the serving
   * one stays.
   * @throws SluiceError that names the step at which the candidate failed
   */
  swap(spec: ChainSpec): Promise<void> {
    return this.#inTurn(() => this.#swap(spec));
  }

  /** Drains what is published, flushes, and ends the thread. */
  async stop(patienceMs: number): Promise<void> {
    await this.#turns;
    clearTimeout(this.#retry);
    this.#gather.stop();
    if (this.#state === 'serving') await this.#seat.drain(patienceMs);
    // The word that the thread has ended can be faster than the word of its last commits.
    this.#events.committed();
    this.#state = 'stopped';
    clearTimeout(this.#again);
    this.#refuser.off();
    const sandbox = this.#seat.leave();
    await Promise.all([sandbox?.close(patienceMs), this.#halted]);
    this.#seat.stop();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(work);
    this.#turns = done.catch(() => {});
    return done;
  }

  async #swap(spec: ChainSpec): Promise<void> {
    if (this.#state === 'stopped') this.#state = 'starting';
    let candidate: Sandbox;
    try {
      candidate = await this.#pool.start(spec, this.ring, this.#rehearsalOf(spec));
    } catch (thrown) {
      if (this.#state === 'starting') this.#state = 'stopped';
      throw thrown;
    }
    await this.#vacate();
    clearTimeout(this.#again);
    this.#serve(candidate, this.#lineage.add(spec, this.#seat.generation), MODE.normal);
  }

  /** A candidate is tried on its own vectors, where its code is new here, and on frames that what served has converted. */
  #rehearsalOf({ stages }: ChainSpec): Rehearsal {
    const known = this.#seat.generation?.spec.stages.map(({ code }) => code);
    const fresh = stages.flatMap(({ code }, index) => (known?.includes(code) ? [] : [index]));
    return { stages: fresh, frames: this.#recent.good };
  }

  /** Whoever serves finishes what is published, and then nobody does. */
  async #vacate(): Promise<void> {
    if (this.#state === 'serving') await this.#seat.drain(Number.POSITIVE_INFINITY);
    // It may have died while it drained, or its breaker may have opened: what follows takes the place of its recovery.
    clearTimeout(this.#retry);
    this.#attempt++;
    void this.#seat.leave()?.close(1000);
    await this.#halted;
    this.#recovery.release();
  }

  #serve(sandbox: Sandbox, generation: Generation, mode: Mode): void {
    this.#state = 'serving';
    this.#refuser.off();
    this.#mode = mode;
    generation.facts = sandbox.facts;
    this.#judge.watch(generation, this.ring.committed);
    this.#seat.take(sandbox, generation, mode);
    this.#events.changed?.({ kind: 'serving', generation });
    this.turnEnded();
  }

  #published(): void {
    this.#seat.wake();
    this.#refuser.published();
  }

  #committed(): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'serving') this.#retryMs = RETRY_MIN_MS;
    this.#events.committed();
    this.turnEnded();
  }

  #told(message: Extract<FromSandbox, { kind: 'fault' | 'log' }>): void {
    if (message.kind === 'log') {
      this.#events.log(message.plugin, message.lines, message.lost);
      return;
    }
    const { fault, stage, frames, gaveUp } = message;
    const plugin = this.#nameOf(stage, fault);
    if (gaveUp) {
      this.#judge.gaveUp(fault, plugin);
      return;
    }
    this.#failedTogether(frames);
    this.#events.fault(fault, plugin, frames);
  }

  /** Fewer go together from now on. */
  #failedTogether(frames: number): void {
    if (frames > 1) this.ring.batchLimit = Math.max(1, Math.floor(frames / 2));
  }

  /** The serving thread is gone: what it had not committed is run again by a fresh one. */
  #died(fault: Fault, stage: number): void {
    if (this.#state === 'stopped') return;
    this.#state = 'recovering';
    const plugin = this.#nameOf(stage, fault);
    if (this.#mode === MODE.strict) {
      this.#recovery.release();
      this.#judge.gaveUp(fault, plugin);
    } else {
      const { frames, again } = this.#recovery.blame(stage, fault);
      if (frames > 0) this.#events.fault(fault, plugin, frames);
      if (again) {
        this.#failedTogether(frames);
        if (fault.code === 'SLUICE_GUEST_DEADLINE') this.#judge.tooSlow(fault, plugin);
      }
    }
    // What is refused is delivered by this, and can open the breaker.
    this.#events.committed();
    if (this.#stateNow !== 'recovering') return;
    this.#events.restarted(fault, plugin);
    const generation = this.#seat.generation as Generation;
    if (!this.#seat.isDraining) void this.#restart(generation);
  }

  /** As it is after an event that may have changed it. */
  get #stateNow(): SlotState {
    return this.#state;
  }

  async #restart(generation: Generation): Promise<void> {
    const attempt = ++this.#attempt;
    let sandbox: Sandbox;
    try {
      sandbox = await this.#pool.start(generation.spec, this.ring);
    } catch (thrown) {
      if (this.#state === 'recovering' && attempt === this.#attempt)
        this.#notStarted(generation, faultOf(thrown));
      return;
    }
    // Somebody swapped or stopped meanwhile.
    if (this.#state !== 'recovering' || attempt !== this.#attempt) void sandbox.close(100);
    else this.#serve(sandbox, generation, this.#modeOf(generation));
  }

  /** On trial, frames go one by one; or all of them, where another generation is there for those that fail. */
  #modeOf({ breaker }: Generation): Mode {
    if (breaker?.state.kind !== 'half-open') return MODE.normal;
    return this.#framesGo === 'fallback' ? MODE.strict : MODE.probe;
  }

  #notStarted(generation: Generation, fault: Fault): void {
    // That there was no thread for it says nothing about the plugin.
    if (generation.breaker !== undefined && !fault.code.startsWith('SLUICE_SANDBOX_')) {
      this.#judge.watch(generation, this.ring.committed);
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
    this.#state = 'open';
    const attempt = ++this.#attempt;
    this.#halted = this.#seat.halt();
    if (generation !== this.current) this.#lineage.dropFallback();
    // What waits goes in slabs that hold something, whatever the last batches had to shrink to.
    this.ring.batchLimit = Math.max(this.ring.batchLimit, WAITING_BATCH);
    const frames = this.#framesGo;
    this.#tryLater(generation, frames, again);
    void this.#halted.then(() => {
      if (this.#state !== 'open' || attempt !== this.#attempt) return;
      this.#recovery.release();
      if (frames === 'refuse') this.#refuser.on(generation.nameOf(0));
      if (frames !== 'fallback') return;
      this.#state = 'recovering';
      void this.#restart(this.#lineage.fallback as Generation);
    });
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
    let candidate: Sandbox;
    try {
      candidate = await this.#pool.start(generation.spec, this.ring, {
        stages: [],
        frames: this.#framesGo === 'fallback' ? this.#framesToRetry(generation) : [],
      });
    } catch (thrown) {
      const fault = faultOf(thrown);
      breaker.startFailed(performance.now(), generation.nameOf(0, fault), fault);
      this.#tryLater(generation, this.#framesGo, true);
      return;
    }
    await this.#vacate();
    breaker.tryAgain(performance.now());
    this.#events.changed?.({ kind: 'half-open', generation });
    this.#serve(candidate, generation, this.#modeOf(generation));
  }

  /** Beside a fallback what it failed on is tried aside first: to fail on it once more must not stop what comes. */
  #framesToRetry({ spec }: Generation): FrameCopy[] {
    const withinMs = 2 * (spec.breaker?.longestPauseMs ?? 0);
    return [...this.#recent.good, ...this.#recent.bad(performance.now(), withinMs)];
  }

  #closed(generation: Generation): void {
    this.#mode = MODE.normal;
    this.#seat.mode = MODE.normal;
    this.#events.changed?.({ kind: 'closed', generation });
  }

  #nameOf(stage: number, fault: Fault): string {
    return this.#seat.generation?.nameOf(stage, fault) ?? 'unknown';
  }
}
