import { DEFAULT_FEATURES } from './feature-policy.js';
import { DEFAULT_POLICY, type Grant, type ImportName, type Policy } from './policy.js';
import type { Line, Rules } from './rules.js';
import type { FeatureClass } from './scan/facts.js';
import { coversSimd, type SimdRule, showSimd, smallerSimd } from './simd-policy.js';

/** What a plugin asks for, as its manifest says it. */
export interface Asks {
  readonly name: string;
  readonly limits: { readonly memory?: number; readonly deadline?: number };
  readonly simd?: SimdRule;
  /** Beside those that every plugin has. */
  readonly features?: readonly FeatureClass[];
  readonly imports?: readonly string[];
}

/** What every plugin gets: bytes and milliseconds. */
export interface Base {
  readonly memory: number;
  readonly deadline: number;
}

/** What a plugin gets: of what it asks for and what the operator grants, the smaller. */
export interface Granted {
  readonly rules: Rules;
  readonly memory: number;
  readonly deadline: number;
  readonly simd: SimdRule;
  readonly features: readonly FeatureClass[];
  readonly imports: readonly string[];
  /** What it asked for and does not get, each with what it gets instead and where that is decided. */
  readonly denied: readonly string[];
}

/**
 * @param deadline of the place where it runs, if that has one of its own: goes before what the policy says
 */
export function grant(policy: Policy, asks: Asks, base: Base, deadline?: number): Granted {
  const given: Grant = Object.hasOwn(policy.grants, asks.name) ? (policy.grants[asks.name] as Grant) : {};
  const line = lines(policy, asks.name);
  const memory = line('memory', given.memory, base.memory, 'plugins.memory');
  const time = deadline ?? given.deadline ?? base.deadline;
  const simd = line('simd', given.simd, policy.simd);
  const features = line(
    'features',
    given.features && [...policy.features, ...given.features],
    policy.features,
  );
  const imports = line('imports', given.imports && [...policy.imports, ...given.imports], policy.imports);
  const own = <T>(key: string, is: T): Line<T> => ({ is, rule: `manifest.${key}`, allow: undefined });
  // Features that every plugin has need not be asked for.
  const askedFeatures = asks.features && [...DEFAULT_FEATURES, ...asks.features];
  const askedImports = asks.imports as readonly ImportName[] | undefined;
  const smaller = {
    memory: Math.min(memory.is, asks.limits.memory ?? memory.is),
    deadline: Math.min(time, asks.limits.deadline ?? time),
    simd: asks.simd === undefined ? simd.is : smallerSimd(simd.is, asks.simd),
    features: features.is.filter(each => askedFeatures?.includes(each) ?? true),
    imports: imports.is.filter(each => askedImports?.includes(each) ?? true),
  };
  const { ceilings, version, places } = policy;
  return {
    ...smaller,
    rules: {
      plugin: asks.name,
      policy: version,
      memory: smaller.memory === memory.is ? memory : own('limits.memory', smaller.memory),
      simd: [simd, ...(asks.simd === undefined ? [] : [own('simd', asks.simd)])],
      features: [features, ...(askedFeatures === undefined ? [] : [own('features', askedFeatures)])],
      imports: [imports, ...(askedImports === undefined ? [] : [own('imports', askedImports)])],
      ceilings: {
        is: ceilings,
        rule: 'policy.ceilings',
        allow: `${places.beforeRest}ceilings.*${places.behind}`,
      },
    },
    denied: [
      ...deniedNumber('memory', 'bytes', asks.limits.memory, memory),
      ...deniedNumber('deadline', 'ms', asks.limits.deadline, line('deadline', time, time)),
      ...(asks.simd === undefined || coversSimd(simd.is, asks.simd)
        ? []
        : [
            `simd: asks for ${showSimd(asks.simd)}, gets ${showSimd(smaller.simd)} (allow it in ${simd.allow})`,
          ]),
      ...deniedNames('features', asks.features, features),
      ...deniedNames('imports', asks.imports, imports),
    ],
  };
}

/** The rules for a plugin of which nothing is known but its name, where nobody has written a policy. */
export function defaultRules(plugin: string, memory: number): Rules {
  return grant(DEFAULT_POLICY, { name: plugin, limits: {} }, { memory, deadline: 0 }).rules;
}

function lines({ places: { before, behind } }: Policy, plugin: string) {
  return <T>(key: keyof Grant, given: T | undefined, all: T, path = `policy.${key}`): Line<T> => ({
    is: given ?? all,
    rule: given === undefined ? path : `policy.grants.${plugin}.${key}`,
    allow: `${before}grants.${plugin}.${key}${behind}`,
  });
}

function deniedNumber(what: string, unit: string, asked: number | undefined, line: Line<number>): string[] {
  if (asked === undefined || asked <= line.is) return [];
  return [`${what}: asks for ${asked} ${unit}, gets ${line.is} (allow it in ${line.allow})`];
}

function deniedNames(
  what: string,
  asked: readonly string[] | undefined,
  line: Line<readonly string[]>,
): string[] {
  const missing = asked?.filter(name => !line.is.includes(name)) ?? [];
  return missing.length === 0 ? [] : [`${what}: asks for ${missing.join(', ')} (allow it in ${line.allow})`];
}
