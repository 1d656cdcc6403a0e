import type { Finding } from '../../errors.js';
import { FEATURES } from '../feature-policy.js';
import type { Rules } from '../rules.js';
import type { FeatureClass, Limits, ModuleFacts, Place } from '../scan/facts.js';
import { classOf } from '../scan/instructions.js';

/** How a class is called that a file can use without an instruction. */
const DECLARED: Readonly<Partial<Record<FeatureClass, string>>> = {
  'bulk-memory': 'a passive segment, or a count of data segments',
  'extended-const': 'a computed constant',
  'function-references': 'a typed function reference',
  exceptions: 'an exception tag',
  gc: 'a garbage-collected type',
  memory64: 'a memory or table with 64-bit addresses',
  'multi-memory': 'a second memory',
  'reference-types': 'a reference type or a second table',
  'multi-value': 'a function or block with several results',
};

/** Each class of features that the rules do not allow: its instructions, with how often they occur, or what declares it. */
export function judgeFeatures(facts: ModuleFacts, rules: Rules): Finding[] {
  return [
    ...judgeMemories(facts, rules),
    ...[...usedBy(facts)].flatMap(used => judgeClass(used, facts, rules)),
  ];
}

function judgeClass(
  [feature, place]: readonly [FeatureClass, Place],
  facts: ModuleFacts,
  rules: Rules,
): Finding[] {
  const refusal = refusalOf(feature, rules);
  if (refusal === undefined) return [];
  const opcodes = [...facts.opcodes].filter(([name]) => classOf(name) === feature);
  const total = opcodes.reduce((sum, [, count]) => sum + count, 0);
  // Of shared memory `judgeMemories` says more.
  if (total === 0 && feature === 'threads' && memoriesOf(facts).some(({ shared }) => shared)) return [];
  if (total === 0)
    return [{ ...refusal, found: DECLARED[feature] ?? `a use of ${feature}`, total: 1, ...place }];
  return opcodes.map(([opcode]) => ({ ...refusal, found: `${opcode} (${feature})`, opcode, total }));
}

/** Of threads a policy grants the instructions, never the memory: what shares it could not be held to a deadline. */
function judgeMemories(facts: ModuleFacts, { policy }: Rules): Finding[] {
  const shared = memoriesOf(facts).find(memory => memory.shared);
  if (shared === undefined) return [];
  return [
    {
      code: 'SLUICE_MODULE_FEATURE',
      policy,
      rule: 'never: shared memory',
      found: 'a shared memory',
      total: 1,
      why: `no policy allows it (policy ${policy}): a plugin has one thread, with which there is nothing to share`,
      fix: FEATURES.threads.fix,
      offset: shared.start,
    },
  ];
}

/** What the scanner saw, and what follows from the declarations by themselves. */
function usedBy(facts: ModuleFacts): ReadonlyMap<FeatureClass, Place> {
  const used = new Map(facts.features);
  const memories = memoriesOf(facts);
  const tables = [
    ...facts.tables,
    ...facts.imports.flatMap(({ kind, limits }) => (kind === 'table' && limits) || []),
  ];
  const [, second] = memories;
  const wide = [...memories, ...tables].find(limits => limits.wide);
  if (second !== undefined && !used.has('multi-memory')) used.set('multi-memory', { offset: second.start });
  if (wide !== undefined && !used.has('memory64')) used.set('memory64', { offset: wide.start });
  if (facts.tags > 0 && !used.has('exceptions')) used.set('exceptions', { offset: 0 });
  return used;
}

function memoriesOf(facts: ModuleFacts): Limits[] {
  const imported = facts.imports.flatMap(({ kind, limits }) => (kind === 'memory' && limits) || []);
  return [...imported, ...facts.memories];
}

function refusalOf(feature: FeatureClass, rules: Rules) {
  const { standing, why, fix } = FEATURES[feature];
  const { policy } = rules;
  if (standing === 'always' || standing === 'simd') return undefined;
  const code = 'SLUICE_MODULE_FEATURE';
  if (standing === 'never')
    return {
      code,
      policy,
      rule: `never: ${feature}`,
      why: `no policy allows it (policy ${policy}): ${why}`,
      fix,
    } as const;
  const line = rules.features.find(({ is }) => !is.includes(feature));
  if (line === undefined) return undefined;
  return {
    code,
    policy,
    rule: `${line.rule}: ${line.is.join(', ')}`,
    why:
      line.allow === undefined
        ? `its manifest does not ask for the feature ${feature} (policy ${policy})`
        : `policy ${policy} does not allow the feature ${feature}`,
    fix:
      line.allow === undefined
        ? `${fix}, or let the manifest ask for it`
        : `${fix}, or allow it in ${line.allow}`,
  } as const;
}
