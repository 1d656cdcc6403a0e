import type { FeatureClass, Place } from './facts.js';
import { FOLLOWS, INSTRUCTIONS } from './instructions.js';

/** In `Tally.follows`: the place of this instruction is to be written down. */
export const MARK = 32;

const ALL_MARKED = marked(INSTRUCTIONS.keys());
/** A thread reads one module at a time, from beginning to end: the tables are made once. */
const COUNTS = new Uint32Array(INSTRUCTIONS.length);
const FIRSTS = new Uint8Array(INSTRUCTIONS.length);

function marked(numbers: Iterable<number>): Uint8Array {
  const follows = FOLLOWS.slice();
  for (const number of numbers) if (INSTRUCTIONS[number] !== undefined) follows[number]! |= MARK;
  return follows;
}

/** Where an instruction was seen. */
export interface Seen {
  /** Of the table of instructions. */
  readonly number: number;
  readonly offset: number;
  readonly function: number | undefined;
}

/**
 * Counts instructions and writes down where marked ones are. The mark lies in the table that the loop over code looks
 * into anyway, so the scan uses it too: it marks every instruction and takes the mark away where it has seen one.
 */
export class Tally {
  /** By number; until the next tally is made. */
  readonly counts = COUNTS.fill(0);
  /** What follows each instruction, with MARK: call `sight`. By number; prefixes are never marked. */
  readonly follows: Uint8Array;
  /** In the order of the file. */
  readonly seen: Seen[] = [];
  /** How often `sight` was called. */
  total = 0;
  readonly #once: boolean;
  readonly #most: number;

  private constructor(follows: Uint8Array, once: boolean, most: number) {
    this.follows = follows;
    this.#once = once;
    this.#most = most;
  }

  /** Sees each instruction where it comes first. */
  static firsts(): Tally {
    FIRSTS.set(ALL_MARKED);
    return new Tally(FIRSTS, true, Number.POSITIVE_INFINITY);
  }

  /** Sees all of these instructions, and keeps the first `most` places. */
  static every(numbers: Iterable<number>, most: number): Tally {
    return new Tally(marked(numbers), false, most);
  }

  count(number: number, offset: number): void {
    this.counts[number]!++;
    if (this.follows[number]! >= MARK) this.sight(number, offset, undefined);
  }

  sight(number: number, offset: number, index: number | undefined): void {
    if (this.#once) this.follows[number]! &= MARK - 1;
    if (this.total++ < this.#most) this.seen.push({ number, offset, function: index });
  }
}

/** The first place of each feature class. */
export class Features {
  readonly found = new Map<FeatureClass, Place>();

  note(feature: FeatureClass, offset: number, index?: number): void {
    const first = this.found.get(feature);
    if (first !== undefined && first.offset <= offset) return;
    this.found.set(feature, index === undefined ? { offset } : { offset, function: index });
  }
}
