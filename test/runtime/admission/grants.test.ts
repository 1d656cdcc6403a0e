import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INSTRUCTIONS } from '../../../runtime/admission/scan/instructions.js';
import {
  allowsSimd,
  coversSimd,
  isSimd,
  type SimdRule,
  smallerSimd,
} from '../../../runtime/admission/simd-policy.js';
import { type Asks, DEFAULT_POLICY, type Grant, grant } from '../../../runtime/index.js';

const BASE = { memory: 16 << 20, deadline: 100 };

function granted(asks: Partial<Asks>, given: Grant = {}) {
  return grant({ ...DEFAULT_POLICY, grants: { scale: given } }, { name: 'scale', limits: {}, ...asks }, BASE);
}

test('who asks for nothing gets what all get, and is denied nothing', () => {
  const { rules: _, ...rest } = granted({});
  assert.deepEqual(rest, {
    memory: 16 << 20,
    deadline: 100,
    simd: 'baseline',
    features: DEFAULT_POLICY.features,
    imports: ['log'],
    denied: [],
  });
});

test('of memory and deadline the smaller of what is asked for and what is granted counts', () => {
  const less = granted({ limits: { memory: 1 << 20, deadline: 20 } });
  assert.deepEqual([less.memory, less.deadline, less.denied], [1 << 20, 20, []]);
  assert.equal(less.rules.memory.rule, 'manifest.limits.memory');
  const more = granted({ limits: { memory: 64 << 20, deadline: 500 } });
  assert.deepEqual([more.memory, more.deadline], [16 << 20, 100]);
  assert.deepEqual(more.denied, [
    'memory: asks for 67108864 bytes, gets 16777216 (allow it in plugins.grants.scale.memory)',
    'deadline: asks for 500 ms, gets 100 (allow it in plugins.grants.scale.deadline)',
  ]);
});

test('a grant of its own may be more than what all get, and nobody else has it', () => {
  const limits = { memory: 64 << 20, deadline: 500 };
  const given = { memory: 32 << 20, deadline: 300 };
  const own = granted({ limits }, given);
  assert.deepEqual([own.memory, own.deadline, own.denied.length], [32 << 20, 300, 2]);
  assert.equal(own.rules.memory.rule, 'policy.grants.scale.memory');
  assert.equal(granted({ limits, name: 'other' }, given).memory, 16 << 20);
  for (const name of ['__proto__', 'constructor', 'toString'])
    assert.equal(granted({ limits, name }, given).memory, 16 << 20);
});

test('the deadline of the place where it runs goes before that of the policy', () => {
  const asks = { name: 'scale', limits: { deadline: 500 } };
  assert.equal(grant(DEFAULT_POLICY, asks, BASE, 400).deadline, 400);
});

test('SIMD, features and imports that are asked for and not granted are listed', () => {
  const policy = { ...DEFAULT_POLICY, simd: 'integer', imports: [] } as const;
  const asks = {
    simd: 'baseline',
    features: ['threads', 'sign-extension'],
    imports: ['log', 'now'],
  } as const;
  const { simd, features, denied } = grant(policy, { name: 'scale', limits: {}, ...asks }, BASE);
  assert.deepEqual([simd, features], ['integer', DEFAULT_POLICY.features]);
  assert.deepEqual(denied, [
    'simd: asks for baseline, gets integer (allow it in plugins.grants.scale.simd)',
    'features: asks for threads (allow it in plugins.grants.scale.features)',
    'imports: asks for log, now (allow it in plugins.grants.scale.imports)',
  ]);
  const { features: both } = granted({ features: ['threads'] }, { features: ['threads', 'exceptions'] });
  assert.deepEqual(both, [...DEFAULT_POLICY.features, 'threads']);
});

const OPCODES = [...new Set(INSTRUCTIONS.flatMap(each => (each && isSimd(each.name) ? each.name : [])))];
const rule = fc.oneof(
  fc.constantFrom<SimdRule>('none', 'integer', 'baseline'),
  fc.subarray(OPCODES, { maxLength: 5 }),
);

test('every fixed-width instruction has a place in the rules, and no relaxed one', () => {
  // Core specification, "Index of Instructions": 0xfd 0 to 255, of which 20 codes are not taken.
  assert.equal(OPCODES.length, 236);
  assert.ok(!OPCODES.some(name => name.includes('relaxed')));
  const integer = OPCODES.filter(name => allowsSimd('integer', name));
  assert.ok(integer.every(name => !/f32x4|f64x2/.test(name)));
  assert.equal(OPCODES.length - integer.length, OPCODES.filter(name => /f32x4|f64x2/.test(name)).length);
});

test('the smaller of two SIMD rules allows exactly what both allow', () => {
  fc.assert(
    fc.property(rule, rule, (one, other) => {
      const smaller = smallerSimd(one, other);
      for (const opcode of OPCODES) {
        assert.equal(
          allowsSimd(smaller, opcode),
          allowsSimd(one, opcode) && allowsSimd(other, opcode),
          opcode,
        );
      }
      if (coversSimd(one, other))
        for (const opcode of OPCODES) assert.ok(!allowsSimd(other, opcode) || allowsSimd(one, opcode));
    }),
    { numRuns: 200 },
  );
});
