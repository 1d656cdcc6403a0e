import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import {
  DEFAULT_POLICY,
  type Finding,
  grant,
  inspect,
  type PolicyContent,
  refusal,
} from '../../../runtime/index.js';

/** What every converter exports, so that a module of the tests breaks nothing but what it is about. */
const EXPORTS = `
  (memory (export "memory") 1)
  (func (export "sluice_arena") (param i32) (result i32) (i32.const 0))
  (func (export "sluice_arena_end") (result i32) (i32.const 0))
  (func (export "configure") (param i32 i32) (result i32) (i32.const 0))
  (func (export "convert") (param i32 i32) (result i32) (i32.const 0))
  (func (export "flush") (param i64) (result i32) (i32.const 0))`;

const BASE = { memory: 1 << 20, deadline: 100 };

/** What a policy says of a converter that has these lines in it. */
export async function findingsOf(
  text: string,
  policy: Partial<PolicyContent> = {},
  asks: Partial<Parameters<typeof grant>[1]> = {},
): Promise<readonly Finding[]> {
  const { rules } = grant(
    { ...DEFAULT_POLICY, version: 3, ...policy },
    { name: 'scale', limits: {}, ...asks },
    BASE,
  );
  return inspect(await parse(`(module ${text} ${EXPORTS})`), 'converter', rules).findings;
}

/** The same as a user reads it. */
export async function textOf(...args: Parameters<typeof findingsOf>): Promise<string> {
  const findings = await findingsOf(...args);
  return findings.length === 0 ? 'admitted' : refusal('scale', findings).message;
}
