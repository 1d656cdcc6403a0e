import type { Finding } from '../../errors.js';
import type { Line, Rules } from '../rules.js';
import type { ModuleFacts } from '../scan/facts.js';
import { allowsSimd, isSimd, type SimdRule, showSimd } from '../simd-policy.js';

/**
 * Each vector instruction that a rule does not allow, with how often it occurs; or, where SIMD is not allowed at
 * all, that the module declares vectors without an instruction on them.
 */
export function judgeSimd(facts: ModuleFacts, rules: Rules): Finding[] {
  const used = [...facts.opcodes.keys()].filter(isSimd);
  for (const line of rules.simd) {
    const forbidden = used.filter(opcode => !allowsSimd(line.is, opcode));
    const total = forbidden.reduce((sum, opcode) => sum + (facts.opcodes.get(opcode) ?? 0), 0);
    // One rule is enough: what the next one says of the same instruction is no news.
    if (total > 0) return forbidden.map(opcode => ({ ...about(line, rules), found: opcode, opcode, total }));
    const declared = facts.features.get('simd');
    if (line.is === 'none' && declared !== undefined && used.length === 0)
      return [{ ...about(line, rules), found: 'a 128-bit vector', total: 1, ...declared }];
  }
  return [];
}

function about({ is, rule, allow }: Line<SimdRule>, { policy }: Rules) {
  const without =
    is === 'none' ? 'build without SIMD' : is === 'integer' ? 'build without float SIMD' : 'build without it';
  return {
    code: 'SLUICE_MODULE_OPCODE',
    policy,
    rule: `${rule}: ${showSimd(is)}`,
    why:
      allow === undefined
        ? `its manifest asks for simd: ${showSimd(is)} (policy ${policy})`
        : `policy ${policy} allows simd: ${showSimd(is)}`,
    fix:
      allow === undefined
        ? `${without}, or let the manifest ask for it`
        : `${without}, or allow it in ${allow}`,
  } as const;
}
