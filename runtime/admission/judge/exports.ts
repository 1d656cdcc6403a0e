import { ARENA_EXPORTS, STATE_EXPORTS, WORLDS } from '../../contract.js';
import type { Finding } from '../../errors.js';
import type { ModuleFacts } from '../scan/facts.js';

/** As much of a type as a message shows: it comes from a stranger. */
const SHOWN = 64;

/** What the contract asks of a module of this world and the module does not export. One finding names them all. */
export function judgeExports(facts: ModuleFacts, world: keyof typeof WORLDS, policy: number): Finding[] {
  const isStateful = Object.keys(STATE_EXPORTS).some(name => facts.exports.has(name));
  const wanted = Object.entries({ ...ARENA_EXPORTS, ...WORLDS[world], ...(isStateful ? STATE_EXPORTS : {}) });
  const problems = wanted.flatMap(([name, type]) => {
    const found = facts.exports.get(name);
    if (found === undefined) return [`${name} is missing`];
    return found.kind === 'func' && found.type === type
      ? []
      : [`${name} is ${found.kind} (${found.type.slice(0, SHOWN)}), not func (${type})`];
  });
  if (facts.exports.get('memory')?.kind !== 'memory') problems.unshift('memory is missing');
  if (problems.length === 0) return [];
  return [
    {
      code: 'SLUICE_MODULE_EXPORT',
      policy,
      rule: `contract: ${world}`,
      found: `exports of a ${world}: ${problems.join('; ')}`,
      total: 1,
      why: `the contract asks every ${world} for them (policy ${policy})`,
      fix: 'build it with one of the SDKs, or export these functions under their names in runtime/plugin.wit',
    },
  ];
}
