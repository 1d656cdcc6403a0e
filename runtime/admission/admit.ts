import type { WORLDS } from '../contract.js';
import { type Finding, SluiceError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { capLimits } from './cap-limits.js';
import { judgeFile } from './judge/ceilings.js';
import { judgeExports } from './judge/exports.js';
import { judge } from './judge/judge.js';
import { placed } from './placed.js';
import { refusal } from './refusal.js';
import type { Rules } from './rules.js';
import type { ModuleFacts } from './scan/facts.js';
import { scan } from './scan/scan.js';

/** What a module is: of a world, or a core module inside a component, whose imports and exports are the component's own. */
export type Role = keyof typeof WORLDS | 'inside a component';

export interface Inspected {
  readonly facts: ModuleFacts;
  /** What the rules do not allow, with places; empty: it may run. */
  readonly findings: readonly Finding[];
}

export interface Admitted {
  /** The module to compile: the file's bytes with the caps written in. */
  readonly bytes: Uint8Array;
  readonly facts: ModuleFacts;
}

/**
 * Scans a core module and judges it.
 * @throws SluiceError SLUICE_MODULE_NOT_WASM, _MALFORMED, _FEATURE, _CEILING or _TOO_LARGE, where it cannot be scanned at all
 */
export function inspect(bytes: Uint8Array, role: Role, rules: Rules): Inspected {
  const facts = scanFor(bytes, rules);
  const findings =
    role === 'inside a component'
      ? judge(facts, rules, 'component')
      : [...judge(facts, rules), ...judgeExports(facts, role, rules.policy)];
  return { facts, findings: findings.length === 0 ? findings : placed(findings, bytes, facts) };
}

/**
 * The gate in front of the compiler. Pure: bytes in; bytes, or a coded refusal with its findings, out.
 * @throws SluiceError SLUICE_MODULE_* with step `admit`
 */
export function admit(bytes: Uint8Array, role: Role, rules: Rules): Admitted {
  const { facts, findings } = inspect(bytes, role, rules);
  if (findings.length > 0) throw refusal(rules.plugin, findings);
  const pages = Math.floor(rules.memory.is / LIMITS.page);
  return { bytes: capLimits(bytes, facts, pages, rules.ceilings.is.tableEntries), facts };
}

function scanFor(bytes: Uint8Array, rules: Rules): ModuleFacts {
  const { plugin } = rules;
  const tooLarge = judgeFile(bytes.length, rules);
  if (tooLarge.length > 0) throw refusal(plugin, tooLarge);
  try {
    return scan(bytes);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    const message = `${plugin}: ${thrown.message}`;
    throw new SluiceError(thrown.code, message, { step: 'admit', plugin, cause: thrown });
  }
}
