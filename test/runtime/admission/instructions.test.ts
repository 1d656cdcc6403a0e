import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorCodeNames } from 'wasmparser';
import {
  classOf,
  INSTRUCTIONS,
  numbersOf,
  PREFIX_BASE,
  PREFIX_SIZE,
  worksOnFloats,
} from '../../../runtime/admission/scan/instructions.js';
import { officialName } from '../../support/modules/wasmparser-oracle.js';

const names = INSTRUCTIONS.flatMap(instruction => instruction?.name ?? []);
const ofClass = (feature: string): string[] =>
  INSTRUCTIONS.flatMap(instruction => (instruction?.feature === feature ? instruction.name : []));

test('every code has the name that wasmparser knows, but for drafts', () => {
  const theirs = new Map<number, string>();
  for (const [code, name] of OperatorCodeNames.entries()) {
    if (name === undefined) continue;
    const prefix = code < 0x100 ? 0 : code < 0x10000 ? code >> 8 : code >> 12;
    const second = code < 0x10000 ? code & 0xff : code & 0xfff;
    assert.ok(prefix === 0 || second < PREFIX_SIZE[prefix]!, name);
    const official = officialName(code);
    if (official !== undefined) theirs.set(prefix === 0 ? code : PREFIX_BASE[prefix]! + second, official);
  }
  const ours = new Map(
    [...INSTRUCTIONS.entries()].flatMap(([number, each]) => (each ? [[number, each.name]] : [])),
  );
  const wide = ['i64.add128', 'i64.sub128', 'i64.mul_wide_s', 'i64.mul_wide_u'];
  for (const [index, name] of wide.entries()) theirs.set(PREFIX_BASE[0xfc]! + 0x13 + index, name);
  assert.deepEqual(ours, new Map([...theirs].toSorted(([a], [b]) => a - b)));
});

test('SIMD has 236 instructions, relaxed SIMD 20, threads 67, sign extension 5, saturating conversions 8', () => {
  const counts = ['simd', 'relaxed-simd', 'threads', 'sign-extension', 'saturating-conversions'].map(
    feature => ofClass(feature).length,
  );
  assert.deepEqual(counts, [236, 20, 67, 5, 8]);
});

test('a name is the name of one instruction, but for three that the text format shares', () => {
  const shared = new Set(names.filter(name => numbersOf(name).length > 1));
  assert.deepEqual([...shared], ['select', 'ref.test', 'ref.cast']);
  assert.deepEqual(numbersOf('f32x4.sum'), []);
});

test('the class of an instruction can be asked by its name', () => {
  assert.equal(classOf('i32.add'), 'mvp');
  assert.equal(classOf('i8x16.add'), 'simd');
  assert.equal(classOf('f32x4.relaxed_madd'), 'relaxed-simd');
  assert.equal(classOf('i32.atomic.rmw.add'), 'threads');
  assert.equal(classOf('return_call'), 'tail-call');
  assert.equal(classOf('select'), 'mvp');
  assert.equal(classOf('F32x4.add'), undefined);
  assert.equal(classOf('constructor'), undefined);
});

test('SIMD on floats: arithmetic, conversions either way and lanes; not loads, bits and integers', () => {
  const floats = ['simd', 'relaxed-simd'].flatMap(ofClass).filter(worksOnFloats);
  for (const name of [
    'f32x4.add',
    'f64x2.pmin',
    'f32x4.splat',
    'f64x2.extract_lane',
    'f32x4.demote_f64x2_zero',
  ])
    assert.ok(floats.includes(name), name);
  for (const name of [
    'i32x4.trunc_sat_f32x4_s',
    'f64x2.convert_low_i32x4_u',
    'i32x4.relaxed_trunc_f64x2_s_zero',
  ])
    assert.ok(floats.includes(name), name);
  for (const name of ['v128.load', 'v128.const', 'v128.bitselect', 'i32x4.splat', 'i32x4.dot_i16x8_s'])
    assert.ok(!floats.includes(name), name);
  // Splat and two lane instructions, 6 comparisons, 4 roundings, 11 of arithmetic: for each of two shapes; 10 conversions.
  assert.equal(floats.filter(name => classOf(name) === 'simd').length, 2 * (3 + 6 + 4 + 11) + 10);
});
