import { ARENA_EXPORTS, LOG_IMPORT, WORLDS } from '../contract.js';
import { type ErrorCode, SluiceError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { capLimits } from './cap-limits.js';
import type { FeatureClass, ModuleFacts } from './facts.js';
import { scan } from './scan.js';

/** What the operator grants a plugin. */
export interface Grants {
  /** Most bytes of linear memory. */
  readonly memory: number;
}

/** Classes of features that no plugin may use. */
const REFUSED: readonly (readonly [FeatureClass, string])[] = [
  ['exceptions', 'exceptions, which plugins may not use'],
  ['multi-memory', 'several memories, where a plugin has one'],
  ['memory64', '64-bit memories or tables, which plugins may not use'],
  ['gc', 'garbage-collected types, which plugins may not use'],
  ['function-references', 'typed references, which plugins may not use'],
];

export interface Admitted {
  /** The module to compile: the file's bytes with the caps written in. */
  readonly bytes: Uint8Array;
  /** Pages that the module starts with. */
  readonly pages: number;
}

/**
 * The gate in front of the compiler, for core modules of a world. Pure: bytes in, bytes or a coded
 * refusal out.
 * @throws SluiceError SLUICE_MODULE_* with step `admit`
 */
export function admit(
  bytes: Uint8Array,
  world: keyof typeof WORLDS,
  grants: Grants,
  plugin: string,
): Admitted {
  const refuse = refusalOf(plugin);
  const facts = scanFor(bytes, plugin, refuse);
  checkImports(facts, refuse);
  checkExports(facts, world, refuse);
  return cap(bytes, facts, grants, refuse);
}

/** The same gate for a core module inside a component: its imports and exports are the component's own. */
export function admitInner(bytes: Uint8Array, grants: Grants, plugin: string): Admitted {
  const refuse = refusalOf(plugin);
  return cap(bytes, scanFor(bytes, plugin, refuse), grants, refuse);
}

type Refuse = (code: ErrorCode, why: string) => never;

function refusalOf(plugin: string): Refuse {
  return (code, why) => {
    throw new SluiceError(code, `${plugin}: ${why}`, { step: 'admit', plugin });
  };
}

function cap(bytes: Uint8Array, facts: ModuleFacts, grants: Grants, refuse: Refuse): Admitted {
  for (const [feature, what] of REFUSED) {
    const place = facts.features.get(feature);
    if (place !== undefined) refuse('SLUICE_MODULE_FEATURE', `at byte ${place.offset}: ${what}`);
  }
  const pages = Math.floor(grants.memory / LIMITS.page);
  for (const memory of facts.memories) {
    if (memory.shared) refuse('SLUICE_MODULE_FEATURE', 'shared memory, which plugins may not use');
    if (memory.min > pages) {
      const asked = `${memory.min} pages (${memory.min * LIMITS.page} bytes)`;
      refuse('SLUICE_MODULE_MEMORY', `starts with ${asked}, granted are ${pages} (${grants.memory} bytes)`);
    }
  }
  if (facts.tables.length > LIMITS.tables) {
    refuse('SLUICE_MODULE_TABLE', `${facts.tables.length} tables, the ceiling is ${LIMITS.tables}`);
  }
  for (const table of facts.tables) {
    if (table.min > LIMITS.tableEntries) {
      refuse('SLUICE_MODULE_TABLE', `a table of ${table.min} entries, the ceiling is ${LIMITS.tableEntries}`);
    }
  }
  return { bytes: capLimits(bytes, facts, pages, LIMITS.tableEntries), pages: facts.memories[0]?.min ?? 0 };
}

function scanFor(bytes: Uint8Array, plugin: string, refuse: Refuse): ModuleFacts {
  if (bytes.length > LIMITS.file)
    refuse('SLUICE_MODULE_TOO_LARGE', `${bytes.length} bytes, the ceiling is ${LIMITS.file}`);
  try {
    return scan(bytes);
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    throw new SluiceError(thrown.code, `${plugin}: ${thrown.message}`, {
      step: 'admit',
      plugin,
      cause: thrown,
    });
  }
}

function checkImports(facts: ModuleFacts, refuse: Refuse): void {
  for (const { module, name, kind, type } of facts.imports) {
    if (module !== LOG_IMPORT.module || name !== LOG_IMPORT.name || kind !== 'func') {
      refuse(
        'SLUICE_MODULE_IMPORT',
        `imports ${kind} "${module.slice(0, 64)}" "${name.slice(0, 64)}"; the one import is "${LOG_IMPORT.module}" "${LOG_IMPORT.name}"`,
      );
    }
    if (type !== LOG_IMPORT.type)
      refuse('SLUICE_MODULE_IMPORT', `imports log as (${type.slice(0, 64)}), it is (${LOG_IMPORT.type})`);
  }
}

function checkExports(facts: ModuleFacts, world: keyof typeof WORLDS, refuse: Refuse): void {
  if (facts.exports.get('memory')?.kind !== 'memory')
    refuse('SLUICE_MODULE_EXPORT', 'does not export its memory as "memory"');
  const wanted = Object.entries({ ...ARENA_EXPORTS, ...WORLDS[world] });
  const problems = wanted.flatMap(([name, type]) => {
    const found = facts.exports.get(name);
    if (found === undefined) return [`${name} is missing`];
    return found.kind === 'func' && found.type === type
      ? []
      : [`${name} is ${found.kind} (${found.type.slice(0, 64)}), not func (${type})`];
  });
  if (problems.length > 0) refuse('SLUICE_MODULE_EXPORT', `exports of a ${world}: ${problems.join('; ')}`);
}
