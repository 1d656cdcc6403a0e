import type { Finding } from '../errors.js';
import { importFinding, WITHOUT_HOST, WITHOUT_WASI } from './judge-imports.js';
import { IMPORT_NAMES } from './policy.js';
import type { Rules } from './rules.js';

/** As much of a name as a message shows: names come from strangers. */
const SHOWN = 96;

/**
 * Each import of a component that is not on the list of the rules: what its core modules import comes from the
 * component itself. Types are no code: those of the contract may be imported.
 * @param imports `name (kind)`, as `readComponent` gives them
 */
export function judgeComponentImports(imports: readonly string[], rules: Rules): Finding[] {
  const findings = imports.flatMap(each => judgeOne(each, rules) ?? []);
  return findings.map(each => ({ ...each, total: findings.length }));
}

function judgeOne(found: string, rules: Rules): Finding | undefined {
  if (found.endsWith(' (type)') || /^sluice:plugin\/\S+ \(instance\)$/.test(found)) return undefined;
  const name = IMPORT_NAMES.find(each => found === `${each} (func)`);
  const line = rules.imports.find(({ is }) => name === undefined || !is.includes(name));
  if (line === undefined) return undefined;
  const place = line.allow ?? `the manifest of ${rules.plugin}`;
  const without = found.startsWith('wasi:') ? WITHOUT_WASI : WITHOUT_HOST;
  return {
    ...importFinding(line, rules.policy),
    found: `imports ${found.slice(0, SHOWN)}`,
    fix: name === undefined ? without : `build without it, or allow it in ${place}`,
  };
}
