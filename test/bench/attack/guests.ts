/** A guest of test/guests that attacks, and how it is told that it did. */
export interface Attack {
  readonly guest: string;
  /** Codes of which one has to be in the log, once at least. None: what it does is allowed. */
  readonly codes: readonly string[];
  /** A deadline of its own, milliseconds. */
  readonly deadlineMs?: number;
  /** More than plugins get by default. */
  readonly memory?: string;
  /** `limits` of its manifest. */
  readonly limits?: Readonly<Record<string, number>>;
  /** The next good message of its route has to come at once. */
  readonly isJudged?: boolean;
  /** It never serves: new versions of it are dropped all the time, beside one that does. */
  readonly isCandidate?: boolean;
}

export const DEADLINE_MS = 100;
/** Also of the first call of a fresh instance. */
export const START_MS = 300;

export const ATTACKS: readonly Attack[] = [
  { guest: 'trap', codes: ['SLUICE_GUEST_TRAP'], isJudged: true },
  { guest: 'spin', codes: ['SLUICE_GUEST_DEADLINE'] },
  { guest: 'spin-at-start', codes: ['SLUICE_GUEST_DEADLINE'], isCandidate: true },
  // It fills 16 MiB again and again: with a cap of as much it would not get them, and fail at once.
  { guest: 'memory-fill', codes: ['SLUICE_GUEST_DEADLINE'], memory: '32MiB' },
  { guest: 'recurse', codes: ['SLUICE_GUEST_STACK'] },
  { guest: 'memory-hog', codes: [] },
  { guest: 'heap-hog', codes: ['SLUICE_GUEST_HEAP', 'SLUICE_GUEST_DEADLINE'], deadlineMs: 1000 },
  { guest: 'bad-pointer', codes: ['SLUICE_GUEST_RESULT'], isJudged: true },
  { guest: 'bad-count', codes: ['SLUICE_GUEST_RESULT'], isJudged: true },
  { guest: 'big-output', codes: ['SLUICE_GUEST_OUTPUT'], limits: { output: 262_144 } },
  { guest: 'zero-output', codes: [] },
  { guest: 'log-flood', codes: [] },
  { guest: 'slow', codes: [] },
  { guest: 'flaky', codes: ['SLUICE_GUEST_TRAP'] },
];
