import { HEADER } from '../../runtime/index.js';

/**
 * Words of a ring's control memory. Each counter that one side writes has a cache line (64 bytes) of its
 * own, so that the two sides do not slow each other down. Counters run on for ever and wrap at 2^32.
 */
export const RING = {
  /** Host: slabs published so far. */
  published: 0,
  /** Sandbox: slabs committed so far. (The host takes one back when it wants the rest of a piece.) */
  committed: 16,
  /** Sandbox: counts up with each commit, and never back: what the host waits on. */
  commits: 17,
  /** Host: 1 = the session ends once `committed` has reached `limit`. */
  detach: 32,
  limit: 33,
  /** Host: one of MODE. */
  mode: 34,
  /** Host: bit k = a flush leaves out stage k, whose state another generation goes on with. */
  keeps: 35,
  /** Host: faults behind which the session goes on by itself; behind the next one it asks. */
  bears: 36,
  /** Host: faults in slabs before this one are taken off in `bears`. */
  seen: 37,
  /** Sandbox: counts up before and after each call into a guest; odd = inside. */
  calls: 48,
  /** Sandbox: stage of that call, -1 outside. */
  stage: 49,
  /** Sandbox: what the call is for, one of CALL. */
  purpose: 50,
  /** Sandbox: `stamp()` of when that call began, written before `stage`. */
  began: 52,
  /** Sandbox: pages of memory (64 KiB) that its guests hold, as far as that is known. */
  memory: 51,
  headers: 64,
} as const;

/** What a guest is called for. All but `run` and `export` have the start deadline. */
export const CALL = {
  run: 0,
  /** Instantiate and configure. */
  start: 1,
  import: 2,
  export: 3,
} as const;

/** How a session runs what is published. */
export const MODE = {
  /** In batches; frame by frame after one has failed. */
  normal: 0,
  /** One frame at a time, each committed for itself: a chain on trial. */
  probe: 1,
  /** At the first fault the session ends and leaves the slab as it was published: another generation is there for it. */
  strict: 2,
  /** Nothing. */
  halt: 3,
} as const;

export type Mode = (typeof MODE)[keyof typeof MODE];

export function ringWords(slabs: number): number {
  return RING.headers + slabs * HEADER.words;
}

/** First word of the header of the slab that sequence `sequence` uses; `slabs` is a power of two. */
export function headerOf(sequence: number, slabs: number): number {
  return RING.headers + (sequence & (slabs - 1)) * HEADER.words;
}

/** Words of a thread's bell. */
export const BELL = {
  /** Counted up to wake the thread. */
  rung: 0,
  /** Messages posted to the thread, and by it: a port is looked into only when its count has moved. */
  sent: 1,
  answered: 2,
  /** Thread: what it is at in a rehearsal, counted from 1; 0: all together. */
  rehearsed: 3,
  words: 16,
} as const;
