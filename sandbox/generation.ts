import type { Fault } from '../runtime/index.js';
import { Breaker, type BreakerLimits } from './breaker.js';
import type { ChainFacts, StageSpec } from './messages.js';

/** What a slot runs: one chain, one generation of it. */
export interface ChainSpec {
  readonly stages: readonly StageSpec[];
  /** For everything up to the first commit of a generation, milliseconds. */
  readonly startDeadlineMs: number;
  /** Most result bytes of a batch. */
  readonly output: number;
  /** Absent: no breaker. */
  readonly breaker?: BreakerLimits;
  /** Absent: none. */
  readonly probation?: Probation;
}

/** How long a generation that follows a healthy one is taken back at its first fault: until both are behind it. */
export interface Probation {
  readonly frames: number;
  readonly ms: number;
}

/** A batch that takes more than this share of the time its calls may take is over its budget. */
const BUDGET = 0.75;

/** One chain in a slot, with the number that it got there and what is known of how it does. */
export class Generation {
  readonly number: number;
  readonly spec: ChainSpec;
  readonly breaker: Breaker | undefined;
  /** It failed on probation. */
  isRejected = false;
  /** Shortest deadline of its stages, milliseconds. */
  readonly shortest: number;
  /** Milliseconds that a batch may take in all its stages, and those that it should not take longer than. */
  readonly allowedMs: number;
  readonly budgetMs: number;
  /** What its modules are; known once it has served. */
  facts: ChainFacts = [];

  constructor(number: number, spec: ChainSpec) {
    this.number = number;
    this.spec = spec;
    this.breaker = spec.breaker === undefined ? undefined : new Breaker(spec.breaker);
    const deadlines = spec.stages.map(({ deadlineMs }) => deadlineMs);
    this.shortest = Math.min(...deadlines);
    this.allowedMs = deadlines.reduce((sum, ms) => sum + ms, 0);
    this.budgetMs = this.allowedMs * BUDGET;
  }

  get isHealthy(): boolean {
    return !this.isRejected && (this.breaker === undefined || this.breaker.state.kind === 'closed');
  }

  /** The same code in every stage. */
  runsSame(other: Generation): boolean {
    const [mine, theirs] = [this.spec.stages, other.spec.stages];
    return mine.length === theirs.length && mine.every(({ code }, i) => isSame(code, theirs[i]?.code));
  }

  /** Milliseconds that a call into a stage may take. @param fresh the instance has not answered yet */
  deadlineOf(stage: number, fresh: boolean): number {
    const { stages, startDeadlineMs } = this.spec;
    return fresh ? startDeadlineMs : (stages[stage]?.deadlineMs ?? startDeadlineMs);
  }

  nameOf(stage: number, fault?: Fault): string {
    return fault?.plugin ?? this.spec.stages[Math.max(stage, 0)]?.plugin ?? 'unknown';
  }
}

function isSame(one: StageSpec['code'], other: StageSpec['code'] | undefined): boolean {
  if (one === other) return true;
  if (one.format === 'core') return other?.format === 'core' && Buffer.compare(one.bytes, other.bytes) === 0;
  return other?.format === 'component' && one.script === other.script;
}
