import { type Fault, faultOf } from '../../runtime/index.js';
import type { ChainSpec, Generation, Probation } from '../generation/generation.js';
import type { ChainState } from '../messages.js';
import type { Candidate } from '../pool/candidate.js';
import { MODE, type Mode } from '../ring/ring-words.js';
import type { ReignParts } from './reign-parts.js';
import type { SlotState } from './slot-events.js';
import { handedOver } from './state-keeper.js';

const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 30_000;
/** Time that a batch gets to end by itself when nobody waits for it any more. */
const BORDER_MS = 100;

/** Which generation holds the seat of a ring, how it comes to it, and how it leaves it. */
export class Reign {
  readonly #parts: ReignParts;
  #state: SlotState = 'stopped';
  #mode: Mode = MODE.normal;
  /** Counts restarts and swaps: a restart that another has overtaken is of no more use. */
  #attempt = 0;
  #retryMs = RETRY_MIN_MS;
  #retry: NodeJS.Timeout | undefined;
  /** The thread that was halted last is gone. */
  #halted: Promise<void> = Promise.resolve();

  constructor(parts: ReignParts) {
    this.#parts = parts;
  }

  get state(): SlotState {
    return this.#state;
  }

  get mode(): Mode {
    return this.#mode;
  }

  /** Resolves when the thread that was halted last is gone. */
  get halted(): Promise<void> {
    return this.#halted;
  }

  /** A first candidate is on its way. */
  begin(): void {
    if (this.#state === 'stopped') this.#state = 'starting';
  }

  /** None has come of it. */
  notBegun(): void {
    if (this.#state === 'starting') this.#state = 'stopped';
  }

  committed(): void {
    if (this.#state === 'stopped') return;
    if (this.#state === 'serving') this.#retryMs = RETRY_MIN_MS;
    this.#parts.events.committed();
  }

  /** How what is published is run from now on. */
  goOn(mode: Mode): void {
    this.#mode = mode;
    this.#parts.seat.mode = mode;
  }

  /** @param from whose state it may go on with, first choice first */
  serve(
    candidate: Candidate,
    generation: Generation,
    mode: Mode,
    from: readonly Generation[],
    probation?: Probation,
  ): void {
    const { ring, seat, judge, lineage, states: keeper, interregnum, events } = this.#parts;
    const sandbox = candidate.take();
    if (sandbox === undefined) return;
    interregnum.end();
    const isFirst = seat.generation === undefined;
    this.#state = 'serving';
    this.#mode = mode;
    generation.facts = candidate.facts;
    generation.stateful = candidate.stateful;
    const first = ring.committed;
    judge.watch(generation, first, probation);
    ring.bear(judge.bears(performance.now()));
    const states = keeper.choices(generation, from, isFirst);
    if (!isFirst) this.#saveAgain(states[0], generation, from);
    const keeping = {
      generation: generation.number,
      states,
      every: generation.spec.snapshotEvery ?? 0,
      exports: !generation.isUnsaved,
      isFirst,
    };
    keeper.forgetAllBut([generation, lineage.current, lineage.fallback]);
    seat.take(sandbox, generation, mode, keeping);
    events.changed?.({ kind: 'serving', generation, from: first });
  }

  /** What was saved last may be of a generation that was taken back, in a form that this one does not read. */
  #saveAgain(states: ChainState | undefined, generation: Generation, from: readonly Generation[]): void {
    const keeper = this.#parts.states;
    const kept = states === undefined ? [] : keeper.kept(states, generation);
    if (kept.length > 0) this.#parts.events.saved?.(kept, keeper.reachOf(from));
  }

  /** A fresh instance of a generation takes the seat. */
  async restart(generation: Generation, from: readonly Generation[] = [generation]): Promise<void> {
    const attempt = ++this.#attempt;
    // Else somebody swapped or stopped meanwhile.
    const isWanted = (): boolean => this.#state === 'recovering' && attempt === this.#attempt;
    try {
      using candidate = await this.#parts.pool.start(generation.spec, this.#parts.ring);
      if (isWanted()) this.serve(candidate, generation, this.modeOf(generation), from);
    } catch (thrown) {
      if (isWanted()) this.#notStarted(generation, faultOf(thrown));
    }
  }

  /** On trial, frames go one by one; or all of them, where another generation is there for those that fail. */
  modeOf({ breaker }: Generation): Mode {
    if (breaker?.state.kind !== 'half-open') return MODE.normal;
    return this.#parts.interregnum.framesGo === 'fallback' ? MODE.strict : MODE.probe;
  }

  #notStarted(generation: Generation, fault: Fault): void {
    const { judge, ring, events } = this.#parts;
    // That there was no thread for it says nothing about the plugin.
    if (generation.breaker !== undefined && !fault.code.startsWith('SLUICE_SANDBOX_')) {
      judge.watch(generation, ring.committed);
      judge.notStarted(fault, generation.nameOf(0, fault));
      return;
    }
    this.#state = 'failed';
    events.failed(fault, this.#retryMs);
    this.#retry = setTimeout(() => {
      this.#state = 'recovering';
      void this.restart(generation);
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }

  /** The thread that served is gone. @returns whether nobody has been sent for since then */
  bereave(): () => boolean {
    this.#state = 'recovering';
    const attempt = ++this.#attempt;
    return () => attempt === this.#attempt;
  }

  /** No call begins from here on. @param next once the thread is gone, unless somebody swaps or stops meanwhile */
  leaveTo(state: 'recovering' | 'open', next: () => unknown): void {
    this.#state = state;
    const attempt = ++this.#attempt;
    this.#halted = this.#halt();
    void this.#halted.then(() => {
      if (this.#state === 'stopped' || attempt !== this.#attempt) return;
      this.#parts.recovery.release();
      void next();
    });
  }

  /** Whoever serves finishes what is published, leaves its state, and then nobody serves. */
  async vacate(candidate: Candidate, spec: ChainSpec): Promise<void> {
    const { seat, pool, recovery } = this.#parts;
    const { generation } = seat;
    const keeps = generation === undefined ? 0 : handedOver(generation, candidate, spec);
    if (this.#state === 'serving') await seat.drain(undefined, keeps);
    // It may have died while it drained, or its breaker may have opened: what follows takes the place of its recovery.
    clearTimeout(this.#retry);
    this.#attempt++;
    const before = seat.leave();
    if (before !== undefined) pool.giveBack(before);
    await this.#halted;
    recovery.release();
  }

  /** Who was to follow was forbidden while the one before drained: that one is started again, if it still may be. */
  goBack(): void {
    const { seat, lineage } = this.#parts;
    this.notBegun();
    if (this.#state !== 'serving' && this.#state !== 'recovering') return;
    const back = [seat.generation, lineage.current].find(each => each?.isForbidden === false);
    this.#state = back === undefined ? 'stopped' : 'recovering';
    if (back !== undefined) void this.restart(back);
  }

  /** Nobody serves, at once. What was not committed is as it was published. */
  end(): void {
    const { seat, recovery, interregnum, events } = this.#parts;
    interregnum.end();
    this.#state = 'stopped';
    this.#attempt++;
    clearTimeout(this.#retry);
    this.#halted = this.#halt().then(() => {
      if (this.#state === 'stopped') recovery.release();
      // The word that the thread has ended can be faster than the word of its last commits.
      events.committed();
    });
    seat.stop();
  }

  /** Nobody is going to serve for now, and yet what is published is not to wait. */
  leaveUnserved(): void {
    const { seat, recovery, interregnum } = this.#parts;
    const attempt = this.#attempt;
    void this.#halted.then(() => {
      if (this.#state !== 'stopped' || attempt !== this.#attempt || interregnum.givesBack) return;
      recovery.release();
      interregnum.giveBack(seat.generation?.nameOf(0) ?? 'the route', interregnum.framesOfNobodyGo);
    });
  }

  /** Lets who serves finish what is published; nobody follows. */
  async finish(signal: AbortSignal): Promise<void> {
    const { seat, interregnum, events } = this.#parts;
    clearTimeout(this.#retry);
    if (this.#state === 'serving') await seat.drain(signal);
    // The word that the thread has ended can be faster than the word of its last commits.
    events.committed();
    interregnum.end();
    this.#state = 'stopped';
  }

  /** Ends the thread of who has finished, at the border of its batch, or by force. */
  async close(): Promise<void> {
    const { seat, events } = this.#parts;
    await Promise.all([seat.halt(BORDER_MS), this.#halted]);
    events.committed();
    seat.stop();
  }

  /** Also of what was halted before and is not gone yet. */
  async #halt(): Promise<void> {
    await Promise.all([this.#halted, this.#parts.seat.halt()]);
  }
}
