import {
  CEILINGS,
  type Ceilings,
  DEFAULT_POLICY,
  type Grant,
  type HeaderPolicy,
  type PolicyContent,
  type PolicyPlaces,
  SIMD_OPCODES,
  type SimdRule,
} from '../../../runtime/index.js';
import { suggest } from '../check/suggest.js';
import type { PolicyConfig } from '../config.js';
import type { Path } from '../problem.js';
import type { Reader } from '../reader.js';
import type { PolicyInput } from '../schema/policy.js';
import type { ConfigInput } from '../schema/schema.js';

/** One page; the largest memory that V8 is told to allow (sandbox/v8-flags.ts). Bytes. */
export const MEMORY = { least: 65_536, most: 2 ** 30 } as const;

/** The policy that `plugins` holds, or the name of its file, which is not read here. */
export function policyOf(input: NonNullable<ConfigInput['plugins']>, read: Reader): PolicyConfig {
  const { policy, simd, grants } = input;
  const at: Path = ['plugins', 'policy'];
  const inside = typeof policy === 'string' ? { simd, grants } : policy;
  for (const [key, short] of Object.entries({ simd, grants })) {
    if (short === undefined || inside?.[key as 'simd' | 'grants'] === undefined) continue;
    const where = typeof policy === 'string' ? policy : 'plugins.policy';
    read.error(['plugins', key], `has its place in ${where}: one of both would not count`, { at: 'key' });
  }
  if (typeof policy === 'string')
    return { content: DEFAULT_POLICY, file: { path: read.file(policy), text: '' } };
  const beforeRest = 'plugins.policy.';
  const before = policy?.grants === undefined ? 'plugins.' : beforeRest;
  const content = normalisePolicy(policy ?? {}, at, read, { before, beforeRest, behind: '' });
  const rule = normaliseSimd(simd, ['plugins', 'simd'], read);
  return {
    content: {
      ...content,
      ...(rule === undefined ? {} : { simd: rule }),
      ...(grants === undefined ? {} : { grants: normaliseGrants(grants, ['plugins', 'grants'], read) }),
    },
  };
}

/** A policy with its defaults filled in. @param path of the policy in what was read, for problems */
export function normalisePolicy(
  input: PolicyInput,
  path: Path,
  read: Reader,
  places: PolicyPlaces,
): PolicyContent {
  return {
    simd: normaliseSimd(input.simd, [...path, 'simd'], read) ?? DEFAULT_POLICY.simd,
    features: input.features ?? DEFAULT_POLICY.features,
    imports: input.imports ?? DEFAULT_POLICY.imports,
    ceilings: normaliseCeilings(input.ceilings ?? {}, [...path, 'ceilings'], read),
    headers: normaliseHeaders(input.headers ?? {}),
    grants: normaliseGrants(input.grants ?? {}, [...path, 'grants'], read),
    places,
  };
}

/** Words as they are; of a list every name has to be one of a vector instruction. */
function normaliseSimd(input: PolicyInput['simd'], path: Path, read: Reader): SimdRule | undefined {
  if (typeof input !== 'object') return input;
  for (const [index, name] of input.entries()) {
    if (SIMD_OPCODES.includes(name)) continue;
    const what = name.includes('relaxed')
      ? `"${name}" is relaxed SIMD, which \`features\` allows as a whole`
      : `"${name}" is no vector instruction`;
    read.error([...path, index], what, { suggestion: suggest(name, SIMD_OPCODES) });
  }
  return input;
}

function normaliseGrants(
  input: NonNullable<PolicyInput['grants']>,
  path: Path,
  read: Reader,
): Readonly<Record<string, Grant>> {
  return Object.fromEntries(
    Object.entries(input).map(([name, { memory, deadline, simd, features, imports, downgrade }]) => {
      const at = (key: string): Path => [...path, name, key];
      const bytes = read.size(memory, at('memory'), MEMORY);
      const ms = read.duration(deadline, at('deadline'), { least: 1 });
      const rule = normaliseSimd(simd, at('simd'), read);
      return [
        name,
        {
          ...(bytes === undefined ? {} : { memory: bytes }),
          ...(ms === undefined ? {} : { deadline: ms }),
          ...(rule === undefined ? {} : { simd: rule }),
          ...(features === undefined ? {} : { features }),
          ...(imports === undefined ? {} : { imports }),
          ...(downgrade === undefined ? {} : { downgrade }),
        },
      ];
    }),
  );
}

function normaliseCeilings(input: NonNullable<PolicyInput['ceilings']>, path: Path, read: Reader): Ceilings {
  const names = Object.keys(CEILINGS) as (keyof Ceilings)[];
  return Object.fromEntries(
    names.map(name => {
      const value = input[name];
      const { most } = CEILINGS[name];
      const bytes = typeof value === 'string' ? read.size(value, [...path, name], { most }) : value;
      return [name, bytes ?? CEILINGS[name].value];
    }),
  ) as Ceilings;
}

/** Line by line over the defaults: who allows one more header does not give up the others. */
function normaliseHeaders({ request, response }: NonNullable<PolicyInput['headers']>): HeaderPolicy {
  const rules = (input: NonNullable<typeof request> = {}) =>
    Object.fromEntries(
      Object.entries(input).map(([name, rule]) => [
        name.toLowerCase(),
        rule === 'any' ? rule : rule === 'none' ? [] : (rule as string[]).map(value => value.toLowerCase()),
      ]),
    );
  return {
    request: { ...DEFAULT_POLICY.headers.request, ...rules(request) },
    response: { ...DEFAULT_POLICY.headers.response, ...rules(response) },
  };
}
