import type { Ceilings } from './ceilings.js';
import type { ImportName } from './policy.js';
import type { FeatureClass } from './scan/facts.js';
import type { SimdRule } from './simd-policy.js';

/** One rule for one plugin, and who made it. */
export interface Line<T> {
  readonly is: T;
  /** Path of the rule, such as `policy.simd` or `manifest.simd`. */
  readonly rule: string;
  /** Where an operator would allow more, such as `plugins.grants.scale.simd`. Undefined: only the author can. */
  readonly allow: string | undefined;
}

/** The policy as it is for one plugin: plain data, so that it goes to the thread that admits. */
export interface Rules {
  readonly plugin: string;
  /** Version of the policy. */
  readonly policy: number;
  /** Most bytes of linear memory. */
  readonly memory: Line<number>;
  /** Each of them has to allow an instruction. */
  readonly simd: readonly Line<SimdRule>[];
  readonly features: readonly Line<readonly FeatureClass[]>[];
  readonly imports: readonly Line<readonly ImportName[]>[];
  readonly ceilings: Line<Ceilings>;
}
