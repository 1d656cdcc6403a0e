import type { Finding } from '../../errors.js';
import { IMPORTS, type ImportName } from '../policy.js';
import { quote } from '../quote.js';
import type { Line, Rules } from '../rules.js';
import type { ImportFact, ModuleFacts } from '../scan/facts.js';

/** As much of a name as a message shows: names come from strangers. */
const SHOWN = 64;

/** Each import that is not on the list of the rules, or has another signature than there. */
export function judgeImports(facts: ModuleFacts, rules: Rules): Finding[] {
  const findings = facts.imports.flatMap(each => judgeImport(each, rules) ?? []);
  return findings.map(each => ({ ...each, total: findings.length }));
}

function judgeImport(found: ImportFact, { imports, policy, plugin }: Rules): Finding | undefined {
  const name = nameOf(found);
  const line = imports.find(({ is }) => name === undefined || !is.includes(name)) ?? imports[0];
  const allowed = line?.is ?? [];
  const about = importFinding(line, policy);
  const what = `imports ${found.kind} ${quote(found.module, SHOWN)} ${quote(found.name, SHOWN)}`;
  if (name === undefined) return { ...about, found: what, fix: fixOf(found) };
  if (!allowed.includes(name)) {
    const place = line?.allow === undefined ? `the manifest of ${plugin}` : line.allow;
    return { ...about, found: what, fix: `build without it, or allow it in ${place}` };
  }
  const { type } = IMPORTS[name];
  if (found.type === type) return undefined;
  return {
    ...about,
    found: `${what} as (${found.type.slice(0, SHOWN)})`,
    fix: `declare it as (${type}), as the SDKs do`,
  };
}

/** A finding about imports, without what was found and how to mend it. */
export function importFinding(
  line: Line<readonly ImportName[]> | undefined,
  policy: number,
): Omit<Finding, 'found' | 'fix'> {
  const allowed = line?.is ?? [];
  const list = allowed.length === 0 ? 'no imports' : `the import ${allowed.map(signature).join(', ')}`;
  return {
    code: 'SLUICE_MODULE_IMPORT',
    policy,
    rule: `${line?.rule ?? 'policy.imports'}: ${allowed.join(', ') || 'none'}`,
    why:
      line !== undefined && line.allow === undefined
        ? `its manifest asks for ${list} (policy ${policy})`
        : `policy ${policy} allows ${list}`,
    total: 1,
  };
}

export const WITHOUT_WASI = 'build without WASI: no files, clock, random numbers or standard output';
export const WITHOUT_HOST = 'build without it: plugins have no calls into the host but log';

/** Undefined: the gateway has nothing of that name to give. */
function nameOf({ module, name, kind }: ImportFact): ImportName | undefined {
  const known = Object.keys(IMPORTS) as ImportName[];
  return known.find(
    each => IMPORTS[each].module === module && IMPORTS[each].name === name && kind === 'func',
  );
}

/** What usually makes such an import, and how to do without. */
function fixOf({ module, kind }: ImportFact): string {
  if (module.startsWith('wasi')) return WITHOUT_WASI;
  if (kind === 'memory' || kind === 'table')
    return `define the ${kind} in the module (clang: no --import-${kind})`;
  if (module === 'env' || module === 'Date' || module === 'Math' || module === 'console')
    return 'build without calls into the host (AssemblyScript: no console, Date or Math.random, and --use abort=; C: define every function)';
  return WITHOUT_HOST;
}

function signature(name: ImportName): string {
  const { module, name: field, type } = IMPORTS[name];
  return `${quote(module, SHOWN)} ${quote(field, SHOWN)} (${type})`;
}
