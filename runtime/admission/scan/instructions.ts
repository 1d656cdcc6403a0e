import type { FeatureClass } from './facts.js';
import { IMMEDIATES, PAGES } from './instruction-rows.js';

/** One instruction of the table. */
export interface Instruction {
  /** As in the text format. */
  readonly name: string;
  readonly feature: FeatureClass;
}

const SIZE = PAGES.reduce((sum, [, size]) => sum + size, 0);

/**
 * All instructions by number: those of one byte by that byte, behind them those of each prefix. A number that no
 * instruction has is `undefined`.
 */
export const INSTRUCTIONS: readonly (Instruction | undefined)[] = new Array<Instruction | undefined>(SIZE);
/** What follows each (a value of IMMEDIATES), by number. */
export const FOLLOWS = new Uint8Array(SIZE).fill(IMMEDIATES.unknown);
/** Number of the first instruction behind a prefix byte, and how many there is room for. */
export const PREFIX_BASE = new Uint16Array(256);
export const PREFIX_SIZE = new Uint16Array(256);
const NUMBERS = new Map<string, number[]>();

let base = 0;
for (const [prefix, size, rows] of PAGES) {
  if (prefix !== undefined) {
    PREFIX_BASE[prefix] = base;
    PREFIX_SIZE[prefix] = size;
    FOLLOWS[prefix] = IMMEDIATES.prefix;
  }
  for (const [code, feature, immediates, names] of rows) {
    for (const [offset, name] of names.split(' ').entries()) {
      if (name === '-') continue;
      const number = base + code + offset;
      (INSTRUCTIONS as (Instruction | undefined)[])[number] = { name, feature };
      FOLLOWS[number] = IMMEDIATES[immediates];
      NUMBERS.set(name, [...(NUMBERS.get(name) ?? []), number]);
    }
  }
  base += size;
}

/** Numbers of the instructions of a name: none if it is no instruction's, several of `select` and a few others. */
export function numbersOf(name: string): readonly number[] {
  return NUMBERS.get(name) ?? [];
}

/** The class that brought an instruction, by its name; undefined if no instruction is called that. */
export function classOf(name: string): FeatureClass | undefined {
  return INSTRUCTIONS[numbersOf(name)[0] ?? -1]?.feature;
}

/**
 * True for a SIMD instruction that takes or gives lanes of floats, also where it converts them or only moves one
 * (`f32x4.splat`). Loads, stores and bit operations (`v128.*`) do not look at lanes.
 */
export function worksOnFloats(name: string): boolean {
  return /f32x4|f64x2/.test(name);
}
