import assert from 'node:assert/strict';
import { scan } from '../../../runtime/admission/scan/scan.js';
import { type OracleFacts, readWithWasmparser } from './wasmparser-oracle.js';

/** Holds the facts of a module against what wasmparser reads in the same bytes. @throws AssertionError */
export function checkAgainstWasmparser(
  bytes: Uint8Array,
  oracle: OracleFacts = readWithWasmparser(bytes),
): void {
  const facts = scan(bytes);
  const limits = ({ min, max }: { min: number; max: number | undefined }) => ({ min, max });
  assert.deepEqual(
    facts.imports.map(({ module, name, kind, limits: size }) => ({
      module,
      name,
      kind,
      limits: size && limits(size),
    })),
    oracle.imports,
  );
  assert.deepEqual(
    [...facts.exports].map(([name, { kind }]) => [name, kind]),
    oracle.exports,
  );
  assert.deepEqual(facts.memories.map(limits), oracle.memories);
  assert.deepEqual(facts.tables.map(limits), oracle.tables);
  const { globals, functions, data } = oracle;
  assert.deepEqual(
    { globals: facts.globals, functions: facts.functions, data: facts.data.segments },
    { globals, functions, data },
  );
  const sorted = (opcodes: ReadonlyMap<string, number>): [string, number][] =>
    [...opcodes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(facts.opcodes), sorted(oracle.opcodes));
}
