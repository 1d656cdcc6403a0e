import { FAULT_CODES } from '../contract.js';
import type { ErrorCode } from '../errors.js';

/** Codes that the outcome of a frame can carry, by number in the slab (1 + index; 0 is "messages"). */
const OUTCOME_CODES = [
  ...FAULT_CODES,
  'SLUICE_KERNEL_ERRNO',
  'SLUICE_GUEST_TRAP',
  'SLUICE_GUEST_STACK',
  'SLUICE_GUEST_DEADLINE',
  'SLUICE_GUEST_MEMORY',
  'SLUICE_GUEST_RESULT',
  'SLUICE_GUEST_OUTPUT',
  'SLUICE_GUEST_HEAP',
  'SLUICE_BREAKER_OPEN',
  'SLUICE_INTERNAL',
] as const satisfies readonly ErrorCode[];

type OutcomeCode = (typeof OUTCOME_CODES)[number];

/** What the plugin itself said of a frame ("I cannot convert this"), as against a fault of the plugin. */
export function isRefusal(code: ErrorCode): boolean {
  return code.startsWith('SLUICE_CONVERT_') || code === 'SLUICE_KERNEL_ERRNO';
}

/** What is the plugin's doing: neither its own answer nor that it was not asked. */
export function isFault(code: ErrorCode): boolean {
  return !isRefusal(code) && code !== 'SLUICE_BREAKER_OPEN';
}

export function outcomeNumber(code: ErrorCode): number {
  const index = (OUTCOME_CODES as readonly string[]).indexOf(code);
  return index < 0 ? OUTCOME_CODES.length : index + 1;
}

export function outcomeCode(number: number): OutcomeCode {
  return OUTCOME_CODES[number - 1] ?? 'SLUICE_INTERNAL';
}
