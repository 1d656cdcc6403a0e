import type { Finding } from '../../errors.js';
import { IMPORT_NAMES } from '../policy.js';
import { quote } from '../quote.js';
import type { Rules } from '../rules.js';
import type { ModuleFacts } from '../scan/facts.js';
import { importFinding, WITHOUT_HOST, WITHOUT_WASI } from './imports.js';

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

/**
 * What may stand in the names of a core module inside a component: enough for all compilers and the Canonical ABI
 * (`[export]a:b/c@1.0.0`, `cm32p2|f_post`), and nothing that ends a text, a comment or a line of JavaScript. The script
 * that jco makes holds these names as they are, and what is outside of quotes there runs with all rights of the gateway.
 */
const PLAIN = /^[\w$.:@/|#[\]+,=%~ -]*$/;

/** Names of imports and exports that could turn into code. */
export function judgeComponentNames(facts: ModuleFacts, { policy }: Rules): Finding[] {
  const imports = facts.imports.flatMap(({ module, name }) => [module, name]);
  const strange = [...new Set([...imports, ...facts.exports.keys()])].filter(name => !PLAIN.test(name));
  return strange.map(name => ({
    code: 'SLUICE_COMPONENT_NAME',
    policy,
    rule: 'never: code in names',
    found: `a core module with the name ${quote(name, SHOWN)} among its imports and exports`,
    total: strange.length,
    why: `no policy allows it (policy ${policy}): such names get into the script that runs a component`,
    fix: 'name it with letters, digits and the signs _ $ . : @ / | # [ ] + , = % ~ -',
  }));
}

/** Components whose core modules have more than one memory between them: each would have the whole cap for itself. */
export function judgeComponentMemories(modules: readonly ModuleFacts[], { policy }: Rules): Finding[] {
  const total = modules.reduce((sum, { memories }) => sum + memories.length, 0);
  if (total < 2) return [];
  return [
    {
      code: 'SLUICE_MODULE_FEATURE',
      policy,
      rule: 'never: multi-memory',
      found: `${total} memories in the core modules of a component`,
      total: 1,
      why: `no policy allows it (policy ${policy}): the memory cap of a plugin is about one memory`,
      fix: 'build it of one core module, or let the others import its memory',
    },
  ];
}

/** Types have plain names there: the others (`url=<...>`) get into a script as they are. */
const TYPE = /^[A-Za-z0-9-]+ \(type\)$/;

function judgeOne(found: string, rules: Rules): Finding | undefined {
  if (TYPE.test(found) || /^sluice:plugin\/[\w@./-]+ \(instance\)$/.test(found)) return undefined;
  const name = IMPORT_NAMES.find(each => found === `${each} (func)`);
  const line = rules.imports.find(({ is }) => name === undefined || !is.includes(name));
  if (line === undefined) return undefined;
  const place = line.allow ?? `the manifest of ${rules.plugin}`;
  const without = found.startsWith('wasi:') ? WITHOUT_WASI : WITHOUT_HOST;
  return {
    ...importFinding(line, rules.policy),
    found: `imports ${quote(found, SHOWN).slice(1, -1)}`,
    fix: name === undefined ? without : `build without it, or allow it in ${place}`,
  };
}
