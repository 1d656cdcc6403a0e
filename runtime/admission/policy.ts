import { LOG_IMPORT } from '../contract.js';
import { type Ceilings, DEFAULT_CEILINGS } from './ceilings.js';
import { DEFAULT_FEATURES } from './feature-policy.js';
import { DEFAULT_HEADERS, type HeaderPolicy } from './header-policy.js';
import type { FeatureClass } from './scan/facts.js';
import type { SimdRule } from './simd-policy.js';

/**
 * What plugins may be and what may stand in the HTTP messages that are about them. Plain data, replaced as a
 * whole: opcodes and headers change in one step, and the version counts the steps.
 */
export interface Policy extends PolicyContent {
  /** From 1 at the start of a gateway. */
  readonly version: number;
}

export interface PolicyContent {
  readonly simd: SimdRule;
  /** Beside WebAssembly 1.0 and `simd`. */
  readonly features: readonly FeatureClass[];
  /** Names of IMPORTS. */
  readonly imports: readonly ImportName[];
  readonly ceilings: Ceilings;
  readonly headers: HeaderPolicy;
  /** By plugin. */
  readonly grants: Readonly<Record<string, Grant>>;
  /** Where each part is written, for who wants to change it: `plugins.grants`, `grants in policy.yaml`. */
  readonly places: PolicyPlaces;
}

/** What one plugin gets in place of what all get. */
export interface Grant {
  /** Bytes of linear memory. */
  readonly memory?: number;
  /** Milliseconds of one call. */
  readonly deadline?: number;
  readonly simd?: SimdRule;
  /** Beside those of the policy. */
  readonly features?: readonly FeatureClass[];
  readonly imports?: readonly ImportName[];
  /** A file with a lower version than the one that served last is taken. */
  readonly downgrade?: boolean;
}

export interface PolicyPlaces {
  /** What stands in front of a key, such as `plugins.`. */
  readonly before: string;
  /** The same for `features`, `imports`, `ceilings` and `headers`. */
  readonly beforeRest: string;
  /** What stands behind a key, such as ` in policy.yaml`. */
  readonly behind: string;
}

export type ImportName = keyof typeof IMPORTS;

/** Everything that a plugin can import at all, with its signature. */
export const IMPORTS = { log: LOG_IMPORT } as const;

export const IMPORT_NAMES = Object.keys(IMPORTS) as readonly ImportName[];

/** What is in force where nobody says anything. */
export const DEFAULT_POLICY: Policy = {
  version: 1,
  simd: 'baseline',
  features: DEFAULT_FEATURES,
  imports: ['log'],
  ceilings: DEFAULT_CEILINGS,
  headers: DEFAULT_HEADERS,
  grants: {},
  places: { before: 'plugins.', beforeRest: 'plugins.policy.', behind: '' },
};
