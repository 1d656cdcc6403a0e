import { LIMITS } from '../limits.js';

/** What a module may have of each thing; a policy may set other values, up to `most`. */
export type Ceilings = Readonly<Record<keyof typeof CEILINGS, number>>;

export interface Ceiling {
  readonly value: number;
  /** No policy goes beyond this. */
  readonly most: number;
  readonly unit: 'bytes' | 'count';
}

/**
 * Every ceiling of a module, each with its reason. `most` is where the engine itself or the scanner ends.
 * How much memory a plugin gets is no ceiling but a grant: `plugins.memory`.
 */
export const CEILINGS = {
  /** Guests from our SDKs are 1-100 kB; a component with a language runtime in it is a few MB. */
  file: { value: LIMITS.file, most: LIMITS.file, unit: 'bytes' },
  /** A language runtime has some 30,000 functions; the engine takes a million, and a second for each 100,000. */
  functions: { value: 100_000, most: LIMITS.functions, unit: 'count' },
  /**
   * The optimising compiler's time grows faster than the body. The largest real ones are the main loops of
   * interpreters, some 300 kB. The engine ends at 7,654,321.
   */
  body: { value: 2 << 20, most: 7_654_321, unit: 'bytes' },
  /** A switch becomes one block for each case: some thousands in generated parsers. Compilers walk it by recursion. */
  nesting: { value: 10_000, most: 1_000_000, unit: 'count' },
  /** A frame of the stack has room for all of them: 10,000 are 80 kB. Real functions have hundreds. */
  locals: { value: 10_000, most: 50_000, unit: 'count' },
  /** One is usual. */
  tables: { value: 16, most: LIMITS.declared, unit: 'count' },
  /** Function tables of real guests have at most a few thousand; a table of ten million ends the process. */
  tableEntries: { value: 10_000, most: 100_000, unit: 'count' },
  /** Linkers make some thousands where code is position-independent. */
  globals: { value: 10_000, most: 1_000_000, unit: 'count' },
  /** Compilers make one for each constant at most. */
  dataSegments: { value: 20_000, most: 100_000, unit: 'count' },
  /** Copied into the memory of each instance, at each restart. */
  data: { value: 16 << 20, most: LIMITS.file, unit: 'bytes' },
  /** As many as a table has entries, with room for segments that are only copied from. */
  elements: { value: 100_000, most: 1_000_000, unit: 'count' },
  /** Names, producers, features, the manifest, a source map; with debug information a dozen more. */
  customSections: { value: 100, most: LIMITS.sections, unit: 'count' },
  /** Debug information is the largest, and belongs into a file beside the plugin. */
  custom: { value: 16 << 20, most: LIMITS.file, unit: 'bytes' },
} as const satisfies Record<string, Ceiling>;

/** The values above. */
export const DEFAULT_CEILINGS: Ceilings = Object.fromEntries(
  Object.entries(CEILINGS).map(([name, { value }]) => [name, value]),
) as Ceilings;
