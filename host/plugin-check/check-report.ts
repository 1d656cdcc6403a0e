import type { Manifest, ModuleFacts, ModuleKind } from '../../runtime/index.js';
import type { SignatureView } from '../plugins/signing/signature-gate.js';
import type { CheckFinding } from './check-finding.js';

/** Everything about a file, as far as it could be read. Of a component what its core modules are together. */
export interface CheckReport extends Partial<ModuleReport> {
  readonly file: string;
  /** A gateway with these rules would take it. */
  readonly ok: boolean;
  readonly verdict: 'ok' | 'refused';
  readonly findings: readonly CheckFinding[];
  /** What it asks for and does not get; no reason to refuse it. */
  readonly denied: readonly string[];
  readonly bytes?: number;
  /** Of the whole file: what is signed. */
  readonly sha256?: string;
  readonly kind?: ModuleKind;
  readonly manifest?: Manifest;
  readonly signature?: SignatureView;
  /** Name (custom) or id, and size in bytes. */
  readonly sections?: readonly { section: string | number; bytes: number }[];
  /** `module.name (kind)`; of a component its own, `name (kind)`. */
  readonly imports?: readonly string[];
  readonly exports?: readonly string[];
  /** The core modules inside a component. */
  readonly modules?: readonly (ModuleReport & {
    readonly bytes: number;
    readonly imports: readonly string[];
    readonly exports: readonly string[];
  })[];
}

/** What the scanner found in a core module. */
export interface ModuleReport {
  readonly functions: number;
  /** In pages of 64 KiB; max is absent where the module names none. */
  readonly memory: readonly { readonly min: number; readonly max?: number; readonly shared: boolean }[];
  /** In entries. */
  readonly tables: readonly { readonly min: number; readonly max?: number }[];
  /** Bytes of data segments. */
  readonly data: number;
  readonly features: readonly string[];
  /** How often each instruction occurs, the most frequent first; also in functions that nothing calls. */
  readonly opcodes: Readonly<Record<string, number>>;
}

export function moduleReport(facts: ModuleFacts): ModuleReport {
  const max = (value: number | undefined) => (value === undefined ? {} : { max: value });
  return {
    functions: facts.functions,
    memory: facts.memories.map(each => ({ min: each.min, ...max(each.max), shared: each.shared })),
    tables: facts.tables.map(each => ({ min: each.min, ...max(each.max) })),
    data: facts.data.bytes,
    features: [...facts.features.keys()],
    opcodes: byCount(facts.opcodes),
  };
}

export function together(modules: readonly ModuleReport[]): ModuleReport {
  const opcodes = new Map<string, number>();
  for (const [name, count] of modules.flatMap(each => Object.entries(each.opcodes)))
    opcodes.set(name, (opcodes.get(name) ?? 0) + count);
  return {
    functions: modules.reduce((sum, each) => sum + each.functions, 0),
    memory: modules.flatMap(each => each.memory),
    tables: modules.flatMap(each => each.tables),
    data: modules.reduce((sum, each) => sum + each.data, 0),
    features: [...new Set(modules.flatMap(each => each.features))],
    opcodes: byCount(opcodes),
  };
}

function byCount(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1)));
}

const KINDS: Readonly<Record<string, string>> = { func: 'function' };

export function importsOf({ imports }: ModuleFacts): string[] {
  return imports.map(({ module, name, kind }) => `${module}.${name} (${KINDS[kind] ?? kind})`);
}

export function exportsOf({ exports }: ModuleFacts): string[] {
  return [...exports].map(([name, { kind }]) => `${name} (${KINDS[kind] ?? kind})`);
}
