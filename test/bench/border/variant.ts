import type { Tally } from './work.js';

/** One way over the border. */
export interface Variant {
  readonly name: string;
  /** Converts frames 0, 1, 2, ... until `over()` and gives their number; the tally has taken every result. */
  run(over: () => boolean, tally: Tally): Promise<number>;
}

/** What is measured in one round. */
export interface Sample {
  /** Frames a second. */
  readonly rate: number;
  /** Processor time of all threads, nanoseconds a frame. */
  readonly cpu: number;
}
