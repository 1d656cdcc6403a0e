import type { Finding } from '../../errors.js';
import type { Rules } from '../rules.js';
import type { ModuleFacts } from '../scan/facts.js';
import { judgeCeilings } from './ceilings.js';
import { judgeComponentNames } from './component.js';
import { judgeFeatures } from './features.js';
import { judgeImports } from './imports.js';
import { judgeMemory } from './memory.js';
import { judgeSimd } from './simd.js';

/**
 * Everything about a core module that the rules do not allow; empty: it may run. Pure, and quick: it reads the
 * facts, not the module, so what serves is judged again whenever the policy changes. Each instruction that is not
 * allowed is one finding here, without a place: `placed` tells where it stands.
 * @param of the file itself, or a core module inside a component, whose imports are the component's own
 */
export function judge(facts: ModuleFacts, rules: Rules, of: 'file' | 'component' = 'file'): Finding[] {
  return [
    ...(of === 'component' ? judgeComponentNames(facts, rules) : judgeImports(facts, rules)),
    ...judgeFeatures(facts, rules),
    ...judgeSimd(facts, rules),
    ...judgeMemory(facts, rules),
    ...judgeCeilings(facts, rules),
  ];
}

/** Most findings of one rule that are listed; `total` says how many there are. */
export const MOST_FINDINGS = 100;
