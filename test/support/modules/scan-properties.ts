import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ModuleFacts } from '../../../runtime/admission/scan/facts.js';
import { scan } from '../../../runtime/admission/scan/scan.js';
import { admit, defaultRules, lendMemory, SluiceError } from '../../../runtime/index.js';
import { compile } from '../../../sandbox/worker/compile.js';
import { FEATURE_NAMES, featureModule, LEGACY_EXCEPTIONS } from './feature-modules.js';
import { checkAgainstWasmparser } from './oracle-check.js';
import { leb, moduleOf, moduleOfBody } from './wasm-bytes.js';
import { type OracleFacts, readWithWasmparser } from './wasmparser-oracle.js';

const REFUSALS = [
  'SLUICE_MODULE_NOT_WASM',
  'SLUICE_MODULE_MALFORMED',
  'SLUICE_MODULE_FEATURE',
  'SLUICE_MODULE_CEILING',
];
const RULES = defaultRules('case', 4 << 20);

/** Good modules to start from: one a feature class. */
export async function seeds(): Promise<Uint8Array[]> {
  return [...(await Promise.all(FEATURE_NAMES.map(featureModule))), LEGACY_EXCEPTIONS];
}

/** What the properties found out about the cases, so that a test can say that they were worth something. */
export interface Tried {
  cases: number;
  valid: number;
  compared: number;
  /** Admitted, and given their memory. */
  lent: number;
}

/**
 * Whatever the bytes are: facts or a coded refusal. What V8 finds valid is not called malformed; where scanner and V8
 * both take it they agree on imports and exports, and with wasmparser, if that can read it, on every instruction. What
 * the gate admits V8 compiles, or the compiler's refusal has its code.
 */
function checkBytes(bytes: Uint8Array, tried: Tried): void {
  tried.cases++;
  const valid = WebAssembly.validate(bytes);
  if (valid) tried.valid++;
  const refusal = refusalOf(() => scan(bytes));
  if (refusal === undefined && valid) compare(bytes, tried);
  if (refusal !== undefined && valid) {
    assert.ok(
      refusal.code !== 'SLUICE_MODULE_MALFORMED' || /starts with \d+/.test(refusal.message),
      `V8 finds valid what is refused with ${refusal.code} ${refusal.message}`,
    );
  }
  let admitted: Uint8Array | undefined;
  const closed = refusalOf(() => {
    admitted = admit(bytes, 'inside a component', RULES).bytes;
  });
  assert.ok(
    refusal === undefined || closed?.code === refusal.code,
    'the gate lets through what cannot be read',
  );
  if (admitted === undefined) return;
  const capped = admitted;
  const compiled = refusalOf(() => compile(capped, 'case'));
  assert.ok(compiled === undefined || compiled.code === 'SLUICE_MODULE_COMPILE', String(compiled));
  const lent = lendMemory(capped);
  if (lent === undefined) return;
  tried.lent++;
  assert.equal(
    WebAssembly.validate(new Uint8Array(lent.bytes)),
    compiled === undefined,
    'with a lent memory',
  );
}

/** It reads addresses of one memory with 32 bits whatever the module says, and no initial value of a table. */
function isBeyondWasmparser({ features, tables }: ModuleFacts): boolean {
  if (features.has('multi-memory') || features.has('memory64')) return true;
  return features.has('function-references') && tables.length > 0;
}

/** V8's own view of a module, and wasmparser's. */
function compare(bytes: Uint8Array, tried: Tried): void {
  const facts = scan(bytes);
  const module = new WebAssembly.Module(bytes);
  const kind = (word: string): string => (word === 'function' ? 'func' : word);
  assert.deepEqual(
    facts.imports.map(each => [each.module, each.name, each.kind]),
    WebAssembly.Module.imports(module).map(each => [each.module, each.name, kind(each.kind)]),
  );
  assert.deepEqual(
    [...facts.exports].map(([name, each]) => [name, each.kind]),
    WebAssembly.Module.exports(module).map(each => [each.name, kind(each.kind)]),
  );
  if (isBeyondWasmparser(facts)) return;
  let oracle: OracleFacts;
  try {
    oracle = readWithWasmparser(bytes);
  } catch {
    return;
  }
  tried.compared++;
  checkAgainstWasmparser(bytes, oracle);
}

function refusalOf(run: () => unknown): SluiceError | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError, thrown instanceof Error ? thrown.stack : String(thrown));
    if (thrown.code !== 'SLUICE_MODULE_COMPILE' && thrown.step !== 'admit') {
      assert.ok(REFUSALS.includes(thrown.code), thrown.code);
      if (thrown.code !== 'SLUICE_MODULE_NOT_WASM') assert.match(thrown.message, /at byte \d+/);
    }
    return thrown;
  }
}

/** Any bytes, with and without a preamble; sections of any content in any order; code of any bytes. */
function arbitraryBytes(): fc.Arbitrary<Uint8Array> {
  const part = fc.uint8Array({ maxLength: 60 });
  return fc.oneof(
    part,
    part.map(bytes => Buffer.concat([moduleOf(), bytes])),
    fc
      .array(fc.tuple(fc.nat(14), part), { maxLength: 8 })
      .map(sections => moduleOf(...sections.toSorted(([a], [b]) => a - b))),
    fc
      .tuple(part, fc.nat(3))
      .map(([code, locals]) => moduleOfBody(locals === 0 ? [0] : [1, locals, 0x7f], code, [0x0b])),
    fc
      .tuple(fc.constantFrom(0xfb, 0xfc, 0xfd, 0xfe), fc.nat(400), part)
      .map(([prefix, code, rest]) => moduleOfBody([0, prefix, ...leb(code)], rest, [0x0b])),
  );
}

/** Good modules with some bytes changed, pieces of others laid over them, or the end cut off. */
function mutants(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const seed = fc.constantFrom(...good);
  const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255));
  // One change leaves more of them valid, and it is there that readers may disagree.
  const edits = fc.oneof(
    { weight: 3, arbitrary: fc.array(edit, { maxLength: 1 }) },
    fc.array(edit, { maxLength: 4 }),
  );
  const overlay = fc.option(fc.tuple(seed, fc.nat(200), fc.integer({ min: 1, max: 24 }), fc.nat(200)), {
    freq: 3,
  });
  const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 8 });
  return fc.tuple(seed, edits, overlay, cut).map(([from, changes, piece, share]) => {
    const bytes = Uint8Array.from(from);
    for (const [where, value] of changes) bytes[8 + Math.floor(where * (bytes.length - 8))] = value;
    if (piece !== null) {
      const [other, start, length, to] = piece;
      const source = other.subarray(8 + start, 8 + start + length);
      if (8 + to + source.length <= bytes.length) bytes.set(source, 8 + to);
    }
    return share === null ? bytes : bytes.subarray(0, Math.ceil(share * bytes.length));
  });
}

/** Runs so many cases of each kind. */
export function runProperties(cases: number, good: readonly Uint8Array[], tried: Tried): void {
  const property = (bytes: fc.Arbitrary<Uint8Array>, numRuns: number): void =>
    fc.assert(
      fc.property(bytes, each => checkBytes(each, tried)),
      { numRuns },
    );
  property(arbitraryBytes(), Math.ceil(cases / 2));
  property(mutants(good), Math.ceil(cases / 2));
}

/** Each module cut off at each of its bytes. */
export function runTruncations(good: readonly Uint8Array[], tried: Tried): void {
  for (const bytes of good) {
    for (let length = 0; length < bytes.length; length++) checkBytes(bytes.subarray(0, length), tried);
  }
}
