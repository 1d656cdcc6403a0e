import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GRANTABLE_FEATURES } from '../../../runtime/admission/feature-policy.js';
import {
  DEFAULT_POLICY,
  type FeatureClass,
  type PolicyContent,
  type SimdRule,
} from '../../../runtime/index.js';
import { findingsOf, textOf } from './support.js';

/** A function with one vector instruction in it, which nothing calls. */
const vector = (...lines: string[]): string =>
  `(func $mix (param $v v128) (param $p i32) ${lines.map(line => `(drop (${line}))`).join(' ')})`;
const V = 'local.get $v';
const ADD = `i32x4.add (${V}) (${V})`;
const MUL = `f32x4.mul (${V}) (${V})`;

const SIMD: readonly (readonly [rule: SimdRule, instruction: string, admitted: boolean])[] = [
  ['baseline', MUL, true],
  ['baseline', ADD, true],
  ['integer', ADD, true],
  ['integer', `v128.load (local.get $p)`, true],
  ['integer', `v128.and (${V}) (${V})`, true],
  ['integer', MUL, false],
  ['integer', `f64x2.neg (${V})`, false],
  // Floats that are hidden behind an integer's name, or only moved.
  ['integer', `i32x4.trunc_sat_f32x4_s (${V})`, false],
  ['integer', `i32x4.trunc_sat_f64x2_u_zero (${V})`, false],
  ['integer', `f32x4.splat (f32.const 0)`, false],
  ['integer', `f64x2.extract_lane 0 (${V})`, false],
  ['integer', `f32x4.convert_i32x4_s (${V})`, false],
  ['none', ADD, false],
  ['none', `v128.const i32x4 0 0 0 0`, false],
  ['none', `v128.load (local.get $p)`, false],
  [['i32x4.add'], ADD, true],
  [['i32x4.add'], `i32x4.sub (${V}) (${V})`, false],
  [[], ADD, false],
];
for (const [rule, instruction, admitted] of SIMD) {
  const name = instruction.split(' ', 1)[0] as string;
  test(`simd: ${rule} ${admitted ? 'allows' : 'refuses'} ${name}`, async () => {
    const findings = await findingsOf(vector(instruction), { simd: rule });
    assert.deepEqual(
      findings.map(({ code, opcode, total }) => [code, opcode, total]),
      admitted ? [] : [['SLUICE_MODULE_OPCODE', name, 1]],
    );
  });
}

test('simd: none also refuses a vector that no instruction works on', async () => {
  const text = await textOf('(func (param v128))', { simd: 'none' });
  assert.match(
    text,
    /^scale: a 128-bit vector at byte \d+.*: policy 3 allows simd: none; build without SIMD/,
  );
});

test('simd: none looks into constant expressions', async () => {
  const [finding] = await findingsOf('(global v128 (v128.const i32x4 0 0 0 0))', { simd: 'none' });
  assert.deepEqual([finding?.opcode, finding?.function], ['v128.const', undefined]);
});

test('a refusal says what, where, which rule and how to fix', async () => {
  const text = await textOf(vector(MUL, MUL, ADD, `f32x4.abs (${V})`), { simd: 'integer' });
  assert.match(
    text,
    /^scale: f32x4\.mul at byte \d+ in function 0 "mix" \(and 2 more\): policy 3 allows simd: integer; build without float SIMD, or allow it in plugins\.grants\.scale\.simd$/,
  );
});

test('dead code and functions that nothing exports are found', async () => {
  const dead = `(func $dead (param $v v128) (return) (drop (${MUL})) (unreachable))`;
  const [finding] = await findingsOf(dead, { simd: 'integer' });
  assert.deepEqual([finding?.opcode, finding?.name], ['f32x4.mul', 'dead']);
});

test('of one rule a hundred places are listed, in the order of the file, with the total', async () => {
  const lines = Array.from({ length: 250 }, (_, index) => (index % 2 === 0 ? MUL : `f32x4.abs (${V})`));
  const findings = await findingsOf(vector(...lines), { simd: 'integer' });
  assert.equal(findings.length, 100);
  assert.ok(
    findings.every(
      ({ total, policy, rule }) => total === 250 && policy === 3 && rule === 'policy.simd: integer',
    ),
  );
  const offsets = findings.map(({ offset = 0 }) => offset);
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(findings.map(({ opcode }) => opcode)).size, 2);
});

test('a plugin may have another rule than all others', async () => {
  const policy = { simd: 'none', grants: { scale: { simd: 'integer' } } } as const;
  assert.deepEqual(await findingsOf(vector(ADD), policy), []);
  const [finding] = await findingsOf(vector(MUL), policy);
  assert.equal(finding?.rule, 'policy.grants.scale.simd: integer');
  assert.deepEqual(
    (await findingsOf(vector(ADD), { simd: 'none', grants: { other: { simd: 'integer' } } })).length,
    1,
  );
});

test('a manifest that asks for less is held to it', async () => {
  const text = await textOf(vector(ADD), {}, { simd: 'none' });
  assert.match(
    text,
    /its manifest asks for simd: none \(policy 3\); build without SIMD, or let the manifest ask for it/,
  );
});

test("what a manifest does not ask for is said to be its doing, not the policy's", async () => {
  const text = await textOf('(import "$root" "log" (func (param i32 i32 i32)))', {}, { imports: [] });
  assert.match(
    text,
    /its manifest asks for no imports \(policy 3\); build without it, or allow it in the manifest/,
  );
});

test('of shared memory one finding is enough: that it cannot be had', async () => {
  const findings = await findingsOf('(memory 1 2 shared)');
  assert.deepEqual(
    findings.map(({ rule }) => rule),
    ['never: shared memory', 'never: multi-memory'],
    'and none says to allow threads',
  );
});

test('a name from a stranger is on one line and steers no terminal', async () => {
  const text = await textOf('(import "a\\n" "\\u{202e}\\u{9b}b" (func))');
  assert.match(text, /imports func "a\\n" "\\u202e\\u009bb": policy 3 allows/);
});

const FEATURES: readonly (readonly [FeatureClass, text: string, found: string])[] = [
  ['sign-extension', '(func (drop (i32.extend8_s (i32.const 0))))', 'i32.extend8_s'],
  ['saturating-conversions', '(func (drop (i32.trunc_sat_f32_s (f32.const 0))))', 'i32.trunc_sat_f32_s'],
  ['bulk-memory', '(func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))', 'memory.fill'],
  ['reference-types', '(func (drop (ref.null func)))', 'ref.null'],
  [
    'multi-value',
    '(func (result i32 i32) (i32.const 0) (i32.const 0))',
    'a function or block with several results',
  ],
  ['extended-const', '(global i32 (i32.add (i32.const 0) (i32.const 1)))', 'a computed constant'],
];
for (const [feature, text, found] of FEATURES) {
  test(`${feature} is allowed, and refused where the policy leaves it out`, async () => {
    assert.deepEqual(await findingsOf(text), []);
    const features = DEFAULT_POLICY.features.filter(each => each !== feature);
    const [finding, ...others] = await findingsOf(text, { features });
    assert.deepEqual([finding?.code, others.length], ['SLUICE_MODULE_FEATURE', 0]);
    assert.ok(finding?.found.startsWith(found), finding?.found);
    assert.match(
      await textOf(text, { features }),
      new RegExp(`policy 3 does not allow the feature ${feature}; build without`),
    );
  });
}

const GRANTED: readonly (readonly [FeatureClass, text: string])[] = [
  ['relaxed-simd', `(func (param $v v128) (drop (i8x16.relaxed_swizzle (${V}) (${V}))))`],
  ['threads', '(func (drop (i32.atomic.load (i32.const 0))))'],
  ['exceptions', '(tag $t) (func (throw $t))'],
  ['function-references', '(type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0)))'],
];
test('each class that can be granted is looked at here', () => {
  const tested = [...FEATURES, ...GRANTED].map(([feature]) => feature);
  assert.deepEqual(tested.toSorted(), [...GRANTABLE_FEATURES].toSorted());
});
for (const [feature, text] of GRANTED) {
  test(`${feature} is refused unless it is granted`, async () => {
    const refused = await findingsOf(text);
    assert.deepEqual([...new Set(refused.map(({ code }) => code))], ['SLUICE_MODULE_FEATURE']);
    assert.match(await textOf(text), /or allow it in plugins\.grants\.scale\.features/);
    assert.deepEqual(await findingsOf(text, { grants: { scale: { features: [feature] } } }), []);
    assert.deepEqual(await findingsOf(text, { features: [...DEFAULT_POLICY.features, feature] }), []);
  });
}

const NEVER: readonly (readonly [what: string, text: string, words: RegExp])[] = [
  ['shared memory', '(memory 1 2 shared)', /no policy allows it .*nothing to share/],
  ['a second memory', '(memory 1)', /no policy allows it .*one memory/],
  ['memory64', '(table i64 1 funcref)', /no policy allows it .*32 bits/],
  ['a tail call', '(func $f (return_call $f))', /no policy allows it .*no deadline would hold/],
  [
    'a tail call through a reference',
    '(type $f (func)) (func (param (ref null $f)) (return_call_ref $f (local.get 0)))',
    /return_call_ref .*no policy allows it .*no deadline would hold/,
  ],
  ['gc', '(type (struct (field i32)))', /no policy allows it .*memory cap/],
];
for (const [what, text, words] of NEVER) {
  test(`${what} is refused whatever is granted`, async () => {
    const every = ['threads', 'gc', 'memory64', 'multi-memory', 'exceptions', 'function-references'] as const;
    assert.match(await textOf(text, { features: [...DEFAULT_POLICY.features, ...every] }), words);
  });
}

test('each import that is not on the list is named, with what usually makes it', async () => {
  const wasi = '(import "wasi_snapshot_preview1" "fd_write" (func))';
  assert.match(
    await textOf(wasi),
    /imports func "wasi_snapshot_preview1" "fd_write": policy 3 allows the import "\$root" "log" \(i32,i32,i32:\); build without WASI/,
  );
  const two = await findingsOf(`${wasi} (import "env" "abort" (func))`);
  assert.deepEqual(
    two.map(({ total }) => total),
    [2, 2],
  );
  assert.match(
    await textOf('(import "$root" "log" (func (param i32)))'),
    /as \(i32:\).*declare it as \(i32,i32,i32:\)/,
  );
});

test('log itself may be taken away', async () => {
  const log = '(import "$root" "log" (func (param i32 i32 i32)))';
  assert.deepEqual(await findingsOf(log), []);
  assert.match(
    await textOf(log, { imports: [] }),
    /policy 3 allows no imports; build without it, or allow it in plugins\.grants\.scale\.imports/,
  );
});

const blocks = (depth: number): string => `${'(block '.repeat(depth)}${')'.repeat(depth)}`;
const CEILINGS: readonly (readonly [
  of: keyof PolicyContent['ceilings'],
  most: number,
  text: string,
  words: RegExp,
])[] = [
  ['functions', 5, '(func)', /6 functions: policy 3 allows ceilings\.functions: 5/],
  ['body', 20, `(func $long ${blocks(10)})`, /a body of \d+ bytes at byte \d+ in function 0 "long"/],
  ['nesting', 3, `(func $deep ${blocks(4)})`, /blocks nested 4 deep at byte \d+ in function 0 "deep"/],
  ['locals', 2, '(func $wide (local i32 i32 i32))', /3 locals at byte \d+ in function 0 "wide"/],
  ['tables', 0, '(table 1 funcref)', /1 tables/],
  ['tableEntries', 9, '(table 10 funcref)', /a table of 10 entries at byte \d+/],
  ['globals', 0, '(global i32 (i32.const 0))', /1 globals/],
  ['dataSegments', 0, '(data "x")', /1 data segments/],
  ['data', 1, '(data "xy")', /2 bytes of data/],
  ['elements', 1, '(func $f) (elem func $f $f)', /2 elements/],
  ['customSections', 0, '(func $f)', /1 custom sections/],
  ['custom', 3, '(func $f)', /\d+ bytes of custom sections.*strip debug information/],
  ['file', 10, '', /a file of \d+ bytes/],
];
for (const [of, most, text, words] of CEILINGS) {
  test(`the ceiling of ${of} is held, and its refusal says where to raise it`, async () => {
    assert.deepEqual(await findingsOf(text), []);
    const policy = { ceilings: { ...DEFAULT_POLICY.ceilings, [of]: most } };
    const message = await textOf(text, policy).catch((thrown: Error) => thrown.message);
    assert.match(message, words);
    assert.match(message, new RegExp(`or raise plugins\\.policy\\.ceilings\\.${of}`));
  });
}

test('a memory that starts above its grant is refused with both sizes', async () => {
  const text = await textOf('', { grants: { scale: { memory: 65_535 } } });
  assert.match(
    text,
    /a memory that starts with 1 page \(65536 bytes\).*policy 3 grants 0 pages.*raise plugins\.grants\.scale\.memory/,
  );
});

test('several rules that are broken are told in one message', async () => {
  const text = await textOf(
    `(import "env" "abort" (func)) (memory 1) ${vector(MUL)} (global i32 (i32.const 0))`,
    {
      simd: 'none',
      ceilings: { ...DEFAULT_POLICY.ceilings, globals: 0 },
    },
  );
  assert.equal(text.split('. Also: ').length, 4);
  assert.match(text, /1 more rules are broken$/);
});
