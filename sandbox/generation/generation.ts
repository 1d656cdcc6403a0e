import type { Fault, SluiceError } from '../../runtime/index.js';
import type { ChainFacts, StageSpec } from '../messages.js';
import { Breaker, type BreakerLimits } from './breaker.js';

/** What a slot runs: one chain, one generation of it. */
export interface ChainSpec {
  readonly stages: readonly StageSpec[];
  /** For everything up to the first commit of a generation, milliseconds. */
  readonly startDeadlineMs: number;
  /** Most result bytes of a batch. */
  readonly output: number;
  /** Batches between two snapshots of what its guests remember. Absent or 0: none are taken. */
  readonly snapshotEvery?: number;
  /** Absent: no breaker. */
  readonly breaker?: BreakerLimits;
  /** Absent: none. */
  readonly probation?: Probation;
  /**
   * Asked when its modules are known, at every start, and again before it takes the ring over: what has come to
   * forbid it since then. Absent: nothing does.
   */
  readonly forbids?: (facts: ChainFacts) => SluiceError | undefined;
}

/** How long a generation that follows a healthy one is taken back at its first fault: until both are behind it. */
export interface Probation {
  readonly frames: number;
  readonly ms: number;
}

/** A batch that takes more than this share of the time its calls may take is over its budget. */
const BUDGET = 0.75;
/** What the first call of a fresh thread may take beyond its deadline, at least: code is compiled as it is first run. */
const ALLOWANCE_MS = 100;

/** One chain in a slot, with the number that it got there and what is known of how it does. */
export class Generation {
  readonly number: number;
  readonly breaker: Breaker | undefined;
  /** It failed on probation. */
  isRejected = false;
  /** What its modules are; known once it has served. */
  facts: ChainFacts = [];
  /** Which of its stages have a state to hand over. */
  stateful: readonly boolean[] = [];
  /** A guest failed over its export-state: it is not asked again. */
  isUnsaved = false;
  #spec: ChainSpec;
  #times: { readonly shortest: number; readonly allowed: number };
  #forbidden = false;
  /** Longest first batch of a fresh thread, milliseconds; undefined: none has answered yet. */
  #firstMs: number | undefined;
  /** Threads that were killed before any had answered. */
  #killed = 0;

  constructor(number: number, spec: ChainSpec) {
    this.number = number;
    this.#spec = spec;
    this.breaker = spec.breaker === undefined ? undefined : new Breaker(spec.breaker);
    this.#times = timesOf(spec);
  }

  get spec(): ChainSpec {
    return this.#spec;
  }

  /** Shortest deadline of its stages, milliseconds. */
  get shortest(): number {
    return this.#times.shortest;
  }

  /** Milliseconds that a batch may take in all its stages. */
  get allowedMs(): number {
    return this.#times.allowed;
  }

  /** Milliseconds that a batch should not take longer than. */
  get budgetMs(): number {
    return this.#times.allowed * BUDGET;
  }

  /** Goes on under other rules: deadlines count at once, the rest from its next start on. The chain is the same. */
  regrant(spec: ChainSpec): void {
    this.#spec = spec;
    this.#times = timesOf(spec);
  }

  /** It may not run any more, whatever becomes of the rules: then there is another generation. */
  forbid(): void {
    this.#forbidden = true;
  }

  get isForbidden(): boolean {
    return this.#forbidden;
  }

  get isHealthy(): boolean {
    if (this.isRejected || this.#forbidden) return false;
    return this.breaker === undefined || this.breaker.state.kind === 'closed';
  }

  /** The same code in every stage. */
  runsSame(other: Generation): boolean {
    const [mine, theirs] = [this.spec.stages, other.spec.stages];
    return mine.length === theirs.length && mine.every(({ code }, i) => isSame(code, theirs[i]?.code));
  }

  /** Milliseconds that a call into a stage may take. */
  deadlineOf(stage: number): number {
    return this.spec.stages[stage]?.deadlineMs ?? this.spec.startDeadlineMs;
  }

  /**
   * The same for the first call of a fresh thread. Until one has answered that is the start deadline, halved by each
   * kill since it was tried last; then what is known of how long a start takes. A guest that hangs is called some
   * times before its breaker opens, and must not cost a start deadline each time.
   */
  firstDeadlineOf(stage: number): number {
    const { startDeadlineMs } = this.spec;
    const known = this.#firstMs === undefined ? startDeadlineMs / 2 ** this.#killed : this.#firstMs * 2;
    return Math.min(startDeadlineMs, this.deadlineOf(stage) + Math.max(known, ALLOWANCE_MS));
  }

  /** A fresh thread has committed its first batch. @param ms that this took */
  startedIn(ms: number): void {
    this.#firstMs = Math.max(this.#firstMs ?? 0, ms);
  }

  /** A fresh thread was killed over its first call. */
  killedAtStart(): void {
    this.#killed++;
  }

  /** It is tried again after a pause: a machine that was too busy then need not be so now. */
  forgetKills(): void {
    this.#killed = 0;
  }

  nameOf(stage: number, fault?: Fault): string {
    return fault?.plugin ?? this.spec.stages[Math.max(stage, 0)]?.plugin ?? 'unknown';
  }
}

function timesOf({ stages }: ChainSpec): { readonly shortest: number; readonly allowed: number } {
  const deadlines = stages.map(({ deadlineMs }) => deadlineMs);
  return { shortest: Math.min(...deadlines), allowed: deadlines.reduce((sum, ms) => sum + ms, 0) };
}

function isSame(one: StageSpec['code'], other: StageSpec['code'] | undefined): boolean {
  if (one === other) return true;
  if (one.format === 'core') return other?.format === 'core' && Buffer.compare(one.bytes, other.bytes) === 0;
  return other?.format === 'component' && one.script === other.script;
}
