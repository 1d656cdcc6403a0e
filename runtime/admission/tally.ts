import type { FeatureClass, Place } from './facts.js';
import { FOLLOWS, INSTRUCTIONS } from './instructions.js';

/** In `Tally.follows`: the place of this instruction is to be written down. */
export const MARK = 32;

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
  /** By number. */
  readonly counts = new Uint32Array(INSTRUCTIONS.length);
  /** What follows each instruction, with MARK: call `sight`. By number; prefixes are never marked. */
  readonly follows = FOLLOWS.slice();
  /** In the order of the file. */
  readonly seen: Seen[] = [];
  /** How often `sight` was called. */
  total = 0;
  readonly #once: boolean;
  readonly #most: number;

  private constructor(once: boolean, most: number) {
    this.#once = once;
    this.#most = most;
  }

  /** Sees each instruction where it comes first. */
  static firsts(): Tally {
    const tally = new Tally(true, Number.POSITIVE_INFINITY);
    for (const number of INSTRUCTIONS.keys()) tally.#mark(number);
    return tally;
  }

  /** Sees all of these instructions, and keeps the first `most` places. */
  static every(numbers: Iterable<number>, most: number): Tally {
    const tally = new Tally(false, most);
    for (const number of numbers) tally.#mark(number);
    return tally;
  }

  count(number: number, offset: number): void {
    this.counts[number]!++;
    if (this.follows[number]! >= MARK) this.sight(number, offset, undefined);
  }

  #mark(number: number): void {
    if (INSTRUCTIONS[number] !== undefined) this.follows[number]! |= MARK;
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
