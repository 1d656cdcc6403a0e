import { CEILINGS, type Ceilings, type HeaderRule, type PolicyContent } from '../../runtime/index.js';
import type { PolicyInput } from './schema/policy.js';

/** A policy as a file would have to say it, every line written out: what is shown can be sent back. */
export function writtenPolicy({
  simd,
  features,
  imports,
  grants,
  headers,
  ceilings,
}: PolicyContent): PolicyInput {
  return {
    simd: simdOf(simd),
    features: [...features],
    imports: [...imports],
    grants: Object.fromEntries(
      Object.entries(grants).map(([name, grant]) => [
        name,
        {
          ...(grant.memory === undefined ? {} : { memory: sizeOf(grant.memory) }),
          ...(grant.deadline === undefined ? {} : { deadline: `${grant.deadline}ms` }),
          ...(grant.simd === undefined ? {} : { simd: simdOf(grant.simd) }),
          ...(grant.features === undefined ? {} : { features: [...grant.features] }),
          ...(grant.imports === undefined ? {} : { imports: [...grant.imports] }),
          ...(grant.downgrade === undefined ? {} : { downgrade: grant.downgrade }),
        },
      ]),
    ),
    headers: { request: headersOf(headers.request), response: headersOf(headers.response) },
    ceilings: Object.fromEntries(
      (Object.keys(CEILINGS) as (keyof Ceilings)[]).map(name => [
        name,
        CEILINGS[name].unit === 'bytes' ? sizeOf(ceilings[name]) : ceilings[name],
      ]),
    ),
  };
}

function simdOf(rule: PolicyContent['simd']): NonNullable<PolicyInput['simd']> {
  return typeof rule === 'string' ? rule : [...rule];
}

function headersOf(rules: Readonly<Record<string, HeaderRule>>) {
  return Object.fromEntries(
    Object.entries(rules).map(([name, rule]): [string, 'any' | 'none' | string[]] => [
      name,
      rule === 'any' ? rule : rule.length === 0 ? 'none' : [...rule],
    ]),
  );
}

/** Without rounding. */
function sizeOf(bytes: number): string {
  if (bytes % 2 ** 20 === 0 && bytes > 0) return `${bytes / 2 ** 20}MiB`;
  return bytes % 1024 === 0 && bytes > 0 ? `${bytes / 1024}KiB` : `${bytes}B`;
}
