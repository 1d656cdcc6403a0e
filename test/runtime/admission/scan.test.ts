import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import type { FeatureClass } from '../../../runtime/admission/scan/facts.js';
import { scan } from '../../../runtime/admission/scan/scan.js';
import { SluiceError } from '../../../runtime/index.js';
import { FEATURE_NAMES, featureModule, LEGACY_EXCEPTIONS } from '../../support/modules/feature-modules.js';
import { moduleOf, moduleOfBody, type SectionParts } from '../../support/modules/wasm-bytes.js';

const scanText = async (text: string) => scan(await parse(`(module ${text})`));
const malformed = (bytes: Uint8Array, words: RegExp): void =>
  assert.throws(
    () => scan(bytes),
    (error: unknown) =>
      error instanceof SluiceError && error.code === 'SLUICE_MODULE_MALFORMED' && words.test(error.message),
  );
const TYPE: SectionParts = [1, [1, 0x60, 0, 0]];

/** Classes that a module of another class cannot do without. */
const ALSO: Partial<Record<FeatureClass, readonly FeatureClass[]>> = {
  'bulk-memory': ['reference-types'],
  'relaxed-simd': ['simd'],
  exceptions: ['multi-value'],
  'function-references': ['bulk-memory', 'reference-types'],
  gc: ['function-references', 'simd', 'bulk-memory'],
  'multi-memory': ['bulk-memory'],
  'wide-arithmetic': ['multi-value'],
};

for (const name of FEATURE_NAMES) {
  test(`a module that uses ${name} is told by that class and no other`, async () => {
    const { features } = scan(await featureModule(name));
    const expected = new Set(['mvp', name, ...(ALSO[name] ?? [])]);
    assert.deepEqual([...features.keys()].toSorted(), [...expected].toSorted());
  });
}

test('the facts of a module', async () => {
  const bytes = await featureModule('mvp');
  const facts = scan(bytes);
  assert.equal(facts.bytes, bytes.length);
  assert.deepEqual(facts.types.slice(0, 2), ['i32,i32:i32', 'i32:']);
  assert.deepEqual(
    facts.imports.map(({ module, name, kind, type, limits }) => [module, name, kind, type, limits?.min]),
    [
      ['env', 'log', 'func', 'i32:', undefined],
      ['env', 'table', 'table', 'table', 1],
      ['env', 'offset', 'global', 'global', undefined],
    ],
  );
  assert.deepEqual(
    [...facts.exports],
    [
      ['memory', { kind: 'memory', type: 'memory' }],
      ['add', { kind: 'func', type: 'i32,i32:i32' }],
    ],
  );
  const [memory] = facts.memories;
  assert.deepEqual(
    { ...memory, start: 0, end: 0 },
    { min: 1, max: 2, shared: false, wide: false, start: 0, end: 0 },
  );
  assert.deepEqual(bytes.slice(memory!.start, memory!.end), Uint8Array.of(1, 1, 2));
  assert.deepEqual([facts.tables, facts.globals, facts.tags, facts.functions, facts.start], [[], 3, 0, 4, 1]);
  assert.deepEqual(facts.elements, { segments: 1, entries: 2 });
  assert.deepEqual(facts.data, { segments: 2, bytes: 14 });
  assert.equal(facts.opcodes.get('i32.const'), 13);
  assert.equal(facts.opcodes.get('br_table'), 1);
  assert.equal(facts.opcodes.get('f32.add'), undefined);
  assert.equal(facts.nesting.value, 5);
  assert.equal(facts.nesting.function, 3);
  assert.deepEqual([facts.locals.value, facts.locals.function], [4, 3]);
  assert.equal(facts.body.function, 3);
});

test('the empty module has facts', () => {
  const facts = scan(moduleOf());
  assert.deepEqual(facts.opcodes.size, 0);
  assert.deepEqual(facts.body, { value: 0, offset: 0 });
});

test('an instruction in dead code of a function that nothing calls is found, with its place', async () => {
  const text = '(func) (func unreachable (if (i32.const 0) (then (drop (f32x4.splat (f32.const 1))))))';
  const bytes = await parse(`(module ${text})`);
  const { opcodes, features } = scan(bytes);
  assert.equal(opcodes.get('f32x4.splat'), 1);
  const place = features.get('simd');
  assert.equal(place?.function, 1);
  assert.deepEqual(bytes.slice(place!.offset, place!.offset + 2), Uint8Array.of(0xfd, 19));
});

test('a second byte that is written longer than needed hides nothing', () => {
  // f32x4.add as 0xfd 0xe4 0x81 0x80 0x80 0x00.
  const { opcodes } = scan(moduleOfBody([0, 0xfd, 0xe4, 0x81, 0x80, 0x80, 0, 0x0b]));
  assert.equal(opcodes.get('f32x4.add'), 1);
  assert.equal(scan(moduleOfBody([0, 0xfd, 0x8f, 0, 0x0b])).opcodes.get('i8x16.splat'), 1);
});

test('features that are declared and not used in code are found', async () => {
  const declared = async (text: string): Promise<string[]> => [...(await scanText(text)).features.keys()];
  assert.deepEqual(await declared('(func (param v128))'), ['simd', 'mvp']);
  assert.deepEqual(await declared('(func (local v128))'), ['simd', 'mvp']);
  assert.deepEqual(await declared('(import "a" "b" (global externref))'), ['reference-types']);
  assert.deepEqual(await declared('(import "a" "b" (memory 1 2 shared))'), ['threads']);
  assert.deepEqual(await declared('(import "a" "b" (memory i64 1))'), ['memory64']);
  assert.deepEqual(await declared('(import "a" "b" (memory 1)) (memory 1)'), ['multi-memory']);
  assert.deepEqual(await declared('(table i64 1 funcref)'), ['memory64']);
  assert.deepEqual(await declared('(tag)'), ['exceptions']);
  assert.deepEqual(await declared('(type (array i8))'), ['gc']);
  assert.deepEqual(await declared('(data "passive")'), ['bulk-memory']);
  assert.deepEqual(await declared('(type (func (result i32 i32)))'), ['multi-value']);
});

test('structures, arrays and recursive groups are types by their form', async () => {
  const { types } = await scanText(
    '(rec (type $a (struct (field (ref null $b)))) (type $b (array i8))) (type (sub (func (param (ref $a)))))',
  );
  assert.deepEqual(types, ['struct', 'array', '(ref 0):']);
});

test('legacy exceptions: try, catch, rethrow and a block that delegate ends', () => {
  assert.ok(WebAssembly.validate(LEGACY_EXCEPTIONS));
  const { opcodes, nesting } = scan(LEGACY_EXCEPTIONS);
  assert.deepEqual(
    ['try', 'throw', 'delegate', 'catch', 'rethrow', 'catch_all', 'end'].map(name => opcodes.get(name)),
    [2, 1, 1, 1, 1, 1, 2],
  );
  assert.equal(nesting.value, 2);
});

test('memories with 64-bit addresses and shared ones say so, and their long offsets are read', async () => {
  const facts = scan(await featureModule('memory64'));
  assert.equal(facts.memories[0]?.wide, true);
  assert.equal(facts.opcodes.get('i32.load'), 1);
  const { memories } = scan(await featureModule('threads'));
  assert.equal(memories[0]?.shared, true);
});

test('blocks and ends have to balance, to the byte', () => {
  malformed(moduleOfBody([0]), /function 0 ends inside an instruction or without an end/);
  malformed(moduleOfBody([0, 0x02, 0x40, 0x0b]), /without an end/);
  malformed(moduleOfBody([0, 0x0b, 0x0b]), /function 0 goes on behind its end/);
  malformed(moduleOfBody([0, 0x41, 0x0b]), /ends inside an instruction/);
  malformed(moduleOfBody([0, 0x44, 0, 0x0b]), /ends inside an instruction/);
  malformed(moduleOfBody([0, 0x18, 0, 0x0b]), /delegate outside of a block/);
});

test('an instruction that does not exist is refused by its bytes', () => {
  malformed(moduleOfBody([0, 0xff, 0x0b]), /^at byte 23: 0xff is no instruction that is known here/);
  malformed(moduleOfBody([0, 0x17, 0x0b]), /0x17 is no instruction/);
  malformed(moduleOfBody([0, 0xfd, 0x9a, 1, 0x0b]), /0xfd 154 is no instruction/);
  malformed(moduleOfBody([0, 0xfd, 0xff, 0xff, 3, 0x0b]), /0xfd 65535 is no instruction/);
});

test('counts of different sections have to agree', () => {
  malformed(moduleOf(TYPE, [3, [1, 0]]), /1 functions are declared, 0 have a body/);
  malformed(
    moduleOf(TYPE, [3, [1, 0]], [10, [2, 2, 0, 0x0b, 2, 0, 0x0b]]),
    /1 functions are declared, 2 have/,
  );
  malformed(moduleOf([12, [1]]), /1 data segments are declared, 0 are there/);
  malformed(moduleOf(TYPE, [3, [1, 1]], [10, [1, 2, 0, 0x0b]]), /an unknown type \(1\)/);
  malformed(moduleOf([7, [1, 1, 65, 0, 0]]), /an export of an unknown func \(0\)/);
  malformed(moduleOf([8, [0]]), /the start function 0 is not there/);
  malformed(moduleOf([5, [1, 0, 1, 9]]), /1 bytes too many in a section/);
});

test('a name is exported once', () => {
  malformed(moduleOf([5, [1, 0, 1]], [7, [2, 1, 65, 2, 0, 1, 65, 2, 0]]), /"A" is exported twice/);
});

test('a segment outside of what the module starts with is refused; one that fits to the last byte is not', async () => {
  await scanText('(memory 1) (data (i32.const 65535) "x") (data (i32.const 65536) "")');
  await scanText('(table 3 funcref) (elem (i32.const 2) $f) (func $f)');
  await scanText('(import "a" "m" (memory 1)) (data (i32.const 70000) "x")');
  const outside = async (text: string, words: RegExp): Promise<void> =>
    malformed(await parse(`(module ${text})`), words);
  await outside(
    '(memory 1) (data (i32.const 65535) "xy")',
    /a data segment of 2 bytes at 65535, its memory starts with 65536/,
  );
  await outside('(memory 0) (data (i32.const 0) "x")', /1 bytes at 0, its memory starts with 0/);
  await outside('(memory 1) (data (i32.const -1) "x")', /at 4294967295/);
  await outside(
    '(table 3 funcref) (elem (i32.const 3) $f) (func $f)',
    /1 entries at 3, its table starts with 3/,
  );
});

test('only constant instructions stand in constant expressions', () => {
  malformed(moduleOf([6, [1, 0x7f, 0, 0x20, 0, 0x0b]]), /local.get in a constant expression/);
  malformed(moduleOf([6, [1, 0x7f, 0, 0xff, 0x0b]]), /instruction 0xff in a constant expression/);
  malformed(moduleOf([6, [1, 0x7f, 2, 0x41, 0, 0x0b]]), /neither constant \(0\) nor variable \(1\)/);
});

test('a component is not read as a module', () => {
  malformed(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0), /a component, where a core module is read/);
});

test('types that are not known here are refused as features', () => {
  const feature = (bytes: Uint8Array, words: RegExp): void =>
    assert.throws(
      () => scan(bytes),
      (error: unknown) =>
        error instanceof SluiceError && error.code === 'SLUICE_MODULE_FEATURE' && words.test(error.message),
    );
  feature(moduleOf([1, [1, 0x5d, 0]]), /^at byte 11: the form of type 0x5d, which plugins may not use/);
  feature(moduleOf([1, [1, 0x60, 1, 0x42, 0]]), /the value type 0x42/);
  feature(moduleOf([6, [1, 0x63, 0x40, 0]]), /the heap type -64/);
});
