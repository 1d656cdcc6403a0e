import { classOf, INSTRUCTIONS, worksOnFloats } from './scan/instructions.js';

/**
 * Which 128-bit vector instructions a plugin may use: `none`; `integer` (no float lane, not even in a
 * conversion); `baseline` (all fixed-width ones, whose results are the same on every machine); or just those
 * of a list, by name. Relaxed SIMD, whose results depend on the processor, is a feature class of its own.
 */
export type SimdRule = SimdWord | readonly string[];
export type SimdWord = (typeof SIMD_WORDS)[number];

/** From the smallest to the largest. */
export const SIMD_WORDS = ['none', 'integer', 'baseline'] as const;

/** True for the fixed-width vector instructions; relaxed ones are not among them. */
export function isSimd(opcode: string): boolean {
  return classOf(opcode) === 'simd';
}

/** Names of all of them. */
export const SIMD_OPCODES: readonly string[] = [
  ...new Set(INSTRUCTIONS.flatMap(each => (each?.feature === 'simd' ? each.name : []))),
];

/** @param opcode a fixed-width vector instruction */
export function allowsSimd(rule: SimdRule, opcode: string): boolean {
  if (rule === 'baseline') return true;
  if (rule === 'none') return false;
  return rule === 'integer' ? !worksOnFloats(opcode) : rule.includes(opcode);
}

/** What both rules allow. */
export function smallerSimd(one: SimdRule, other: SimdRule): SimdRule {
  if (isWord(one) && isWord(other)) return SIMD_WORDS.indexOf(one) < SIMD_WORDS.indexOf(other) ? one : other;
  const [list, rule] = isWord(one) ? [other as readonly string[], one] : [one, other];
  return list.filter(opcode => allowsSimd(rule, opcode));
}

/** True if `rule` allows all that `asked` does. */
export function coversSimd(rule: SimdRule, asked: SimdRule): boolean {
  if (isWord(asked))
    return isWord(rule) ? SIMD_WORDS.indexOf(rule) >= SIMD_WORDS.indexOf(asked) : asked === 'none';
  return asked.every(opcode => allowsSimd(rule, opcode));
}

/** Instructions of a list that are written out in a message. */
const SHOWN = 6;

export function showSimd(rule: SimdRule): string {
  if (isWord(rule)) return rule;
  const rest = rule.length - SHOWN;
  return `[${rule.slice(0, SHOWN).join(', ')}${rest > 0 ? `, and ${rest} more` : ''}]`;
}

function isWord(rule: SimdRule): rule is SimdWord {
  return typeof rule === 'string';
}
