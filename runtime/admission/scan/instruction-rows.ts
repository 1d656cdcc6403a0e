import type { FeatureClass } from './facts.js';

/** What follows an instruction; the number is the case in the loop over code. */
export const IMMEDIATES = {
  none: 0,
  /** One unsigned number: a label, a local, a function, ... */
  index: 1,
  /** Alignment and offset; with bit 6 of the alignment the index of a memory between them. */
  memory: 2,
  i32: 3,
  block: 4,
  end: 5,
  i64: 6,
  'four bytes': 7,
  'eight bytes': 8,
  indexes: 9,
  labels: 10,
  lane: 11,
  'sixteen bytes': 12,
  'memory and lane': 13,
  /** The second byte, of 32 bits, says which instruction. */
  prefix: 14,
  /** Ends its block and names the label that takes over. */
  delegate: 15,
  'heap type': 16,
  types: 17,
  catches: 18,
  'cast branch': 19,
  zero: 20,
  unknown: 21,
} as const;

/**
 * Instructions of one kind with consecutive codes: the first code, what follows each, their names, `-` for a code
 * that no instruction has. A few codes share a name with another, as in the text format (`select`, `ref.test`).
 */
export type Row = readonly [
  code: number,
  feature: FeatureClass,
  immediates: keyof typeof IMMEDIATES,
  names: string,
];

const COMPARED = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const COMPARED_FLOATS = 'eq ne lt gt le ge';
const INTEGER = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const FLOAT = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';

/** `names` with a prefix: `i32.` and `eq ne` is `i32.eq i32.ne`. */
function of(prefix: string, names: string): string {
  return names
    .split(' ')
    .map(name => (name === '-' ? name : prefix + name))
    .join(' ');
}

/** Core specification, "Index of Instructions"; legacy exceptions: proposal exception-handling. */
const ONE_BYTE: readonly Row[] = [
  [0x00, 'mvp', 'none', 'unreachable nop'],
  [0x02, 'mvp', 'block', 'block loop if'],
  [0x05, 'mvp', 'none', 'else'],
  [0x06, 'exceptions', 'block', 'try'],
  [0x07, 'exceptions', 'index', 'catch throw rethrow'],
  [0x0a, 'exceptions', 'none', 'throw_ref'],
  [0x0b, 'mvp', 'end', 'end'],
  [0x0c, 'mvp', 'index', 'br br_if'],
  [0x0e, 'mvp', 'labels', 'br_table'],
  [0x0f, 'mvp', 'none', 'return'],
  [0x10, 'mvp', 'index', 'call'],
  [0x11, 'mvp', 'indexes', 'call_indirect'],
  [0x12, 'tail-call', 'index', 'return_call'],
  [0x13, 'tail-call', 'indexes', 'return_call_indirect'],
  [0x14, 'function-references', 'index', 'call_ref'],
  // Brought by function references, but a tail call it is, and so it is refused like one.
  [0x15, 'tail-call', 'index', 'return_call_ref'],
  [0x18, 'exceptions', 'delegate', 'delegate'],
  [0x19, 'exceptions', 'none', 'catch_all'],
  [0x1a, 'mvp', 'none', 'drop select'],
  [0x1c, 'reference-types', 'types', 'select'],
  [0x1f, 'exceptions', 'catches', 'try_table'],
  [0x20, 'mvp', 'index', 'local.get local.set local.tee global.get global.set'],
  [0x25, 'reference-types', 'index', 'table.get table.set'],
  [0x28, 'mvp', 'memory', 'i32.load i64.load f32.load f64.load'],
  [0x2c, 'mvp', 'memory', of('i32.load', '8_s 8_u 16_s 16_u')],
  [0x30, 'mvp', 'memory', of('i64.load', '8_s 8_u 16_s 16_u 32_s 32_u')],
  [0x36, 'mvp', 'memory', 'i32.store i64.store f32.store f64.store'],
  [0x3a, 'mvp', 'memory', 'i32.store8 i32.store16 i64.store8 i64.store16 i64.store32'],
  [0x3f, 'mvp', 'index', 'memory.size memory.grow'],
  [0x41, 'mvp', 'i32', 'i32.const'],
  [0x42, 'mvp', 'i64', 'i64.const'],
  [0x43, 'mvp', 'four bytes', 'f32.const'],
  [0x44, 'mvp', 'eight bytes', 'f64.const'],
  [0x45, 'mvp', 'none', of('i32.', `eqz ${COMPARED}`)],
  [0x50, 'mvp', 'none', of('i64.', `eqz ${COMPARED}`)],
  [0x5b, 'mvp', 'none', of('f32.', COMPARED_FLOATS)],
  [0x61, 'mvp', 'none', of('f64.', COMPARED_FLOATS)],
  [0x67, 'mvp', 'none', of('i32.', INTEGER)],
  [0x79, 'mvp', 'none', of('i64.', INTEGER)],
  [0x8b, 'mvp', 'none', of('f32.', FLOAT)],
  [0x99, 'mvp', 'none', of('f64.', FLOAT)],
  [0xa7, 'mvp', 'none', of('i32.', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [
    0xac,
    'mvp',
    'none',
    of('i64.', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u'),
  ],
  [0xb2, 'mvp', 'none', of('f32.', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64')],
  [0xb7, 'mvp', 'none', of('f64.', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32')],
  [0xbc, 'mvp', 'none', 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, 'sign-extension', 'none', 'i32.extend8_s i32.extend16_s'],
  [0xc2, 'sign-extension', 'none', 'i64.extend8_s i64.extend16_s i64.extend32_s'],
  [0xd0, 'reference-types', 'heap type', 'ref.null'],
  [0xd1, 'reference-types', 'none', 'ref.is_null'],
  [0xd2, 'reference-types', 'index', 'ref.func'],
  [0xd3, 'gc', 'none', 'ref.eq'],
  [0xd4, 'function-references', 'none', 'ref.as_non_null'],
  [0xd5, 'function-references', 'index', 'br_on_null br_on_non_null'],
];

const GC: readonly Row[] = [
  [0, 'gc', 'index', 'struct.new struct.new_default'],
  [2, 'gc', 'indexes', 'struct.get struct.get_s struct.get_u struct.set'],
  [6, 'gc', 'index', 'array.new array.new_default'],
  [8, 'gc', 'indexes', 'array.new_fixed array.new_data array.new_elem'],
  [11, 'gc', 'index', 'array.get array.get_s array.get_u array.set'],
  [15, 'gc', 'none', 'array.len'],
  [16, 'gc', 'index', 'array.fill'],
  [17, 'gc', 'indexes', 'array.copy array.init_data array.init_elem'],
  [20, 'gc', 'heap type', 'ref.test ref.test ref.cast ref.cast'],
  [24, 'gc', 'cast branch', 'br_on_cast br_on_cast_fail'],
  [26, 'gc', 'none', 'any.convert_extern extern.convert_any ref.i31 i31.get_s i31.get_u'],
];

const MISCELLANEOUS: readonly Row[] = [
  [0, 'saturating-conversions', 'none', of('i32.trunc_sat_', 'f32_s f32_u f64_s f64_u')],
  [4, 'saturating-conversions', 'none', of('i64.trunc_sat_', 'f32_s f32_u f64_s f64_u')],
  [8, 'bulk-memory', 'indexes', 'memory.init'],
  [9, 'bulk-memory', 'index', 'data.drop'],
  [10, 'bulk-memory', 'indexes', 'memory.copy'],
  [11, 'bulk-memory', 'index', 'memory.fill'],
  [12, 'bulk-memory', 'indexes', 'table.init'],
  [13, 'bulk-memory', 'index', 'elem.drop'],
  [14, 'bulk-memory', 'indexes', 'table.copy'],
  [15, 'reference-types', 'index', 'table.grow table.size table.fill'],
  [19, 'wide-arithmetic', 'none', 'i64.add128 i64.sub128 i64.mul_wide_s i64.mul_wide_u'],
];

const EXTENDED = (low: string): string =>
  `extend_low_${low}_s extend_high_${low}_s extend_low_${low}_u extend_high_${low}_u`;
const MULTIPLIED = (low: string): string =>
  `extmul_low_${low}_s extmul_high_${low}_s extmul_low_${low}_u extmul_high_${low}_u`;
const SATURATED = 'add add_sat_s add_sat_u sub sub_sat_s sub_sat_u';
const EXTREMES = 'min_s min_u max_s max_u';
const FLOAT_LANES = 'abs neg - sqrt add sub mul div min max pmin pmax';

const VECTOR: readonly Row[] = [
  [0, 'simd', 'memory', of('v128.load', ' 8x8_s 8x8_u 16x4_s 16x4_u 32x2_s 32x2_u')],
  [7, 'simd', 'memory', 'v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat v128.store'],
  [12, 'simd', 'sixteen bytes', 'v128.const i8x16.shuffle'],
  [14, 'simd', 'none', 'i8x16.swizzle'],
  [15, 'simd', 'none', 'i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [21, 'simd', 'lane', of('i8x16.', 'extract_lane_s extract_lane_u replace_lane')],
  [24, 'simd', 'lane', of('i16x8.', 'extract_lane_s extract_lane_u replace_lane')],
  [27, 'simd', 'lane', 'i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane'],
  [31, 'simd', 'lane', 'f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane'],
  [35, 'simd', 'none', of('i8x16.', COMPARED)],
  [45, 'simd', 'none', of('i16x8.', COMPARED)],
  [55, 'simd', 'none', of('i32x4.', COMPARED)],
  [65, 'simd', 'none', of('f32x4.', COMPARED_FLOATS)],
  [71, 'simd', 'none', of('f64x2.', COMPARED_FLOATS)],
  [77, 'simd', 'none', of('v128.', 'not and andnot or xor bitselect any_true')],
  [84, 'simd', 'memory and lane', of('v128.load', '8_lane 16_lane 32_lane 64_lane')],
  [88, 'simd', 'memory and lane', of('v128.store', '8_lane 16_lane 32_lane 64_lane')],
  [92, 'simd', 'memory', 'v128.load32_zero v128.load64_zero'],
  [94, 'simd', 'none', 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [96, 'simd', 'none', of('i8x16.', 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u')],
  [103, 'simd', 'none', of('f32x4.', 'ceil floor trunc nearest')],
  [107, 'simd', 'none', of('i8x16.', `shl shr_s shr_u ${SATURATED}`)],
  [116, 'simd', 'none', 'f64x2.ceil f64x2.floor'],
  [118, 'simd', 'none', of('i8x16.', EXTREMES)],
  [122, 'simd', 'none', 'f64x2.trunc i8x16.avgr_u'],
  [124, 'simd', 'none', of('i16x8.extadd_pairwise_', 'i8x16_s i8x16_u')],
  [126, 'simd', 'none', of('i32x4.extadd_pairwise_', 'i16x8_s i16x8_u')],
  [128, 'simd', 'none', of('i16x8.', 'abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u')],
  [135, 'simd', 'none', of('i16x8.', `${EXTENDED('i8x16')} shl shr_s shr_u ${SATURATED}`)],
  [148, 'simd', 'none', 'f64x2.nearest'],
  [149, 'simd', 'none', of('i16x8.', `mul ${EXTREMES} - avgr_u ${MULTIPLIED('i8x16')}`)],
  [160, 'simd', 'none', of('i32x4.', `abs neg - all_true bitmask - - ${EXTENDED('i16x8')}`)],
  [171, 'simd', 'none', of('i32x4.', `shl shr_s shr_u add - - sub - - - mul ${EXTREMES}`)],
  [186, 'simd', 'none', of('i32x4.', `dot_i16x8_s - ${MULTIPLIED('i16x8')}`)],
  [192, 'simd', 'none', of('i64x2.', `abs neg - all_true bitmask - - ${EXTENDED('i32x4')}`)],
  [203, 'simd', 'none', of('i64x2.', 'shl shr_s shr_u add - - sub - - - mul')],
  [214, 'simd', 'none', of('i64x2.', `eq ne lt_s gt_s le_s ge_s ${MULTIPLIED('i32x4')}`)],
  [224, 'simd', 'none', of('f32x4.', FLOAT_LANES)],
  [236, 'simd', 'none', of('f64x2.', FLOAT_LANES)],
  [248, 'simd', 'none', 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u'],
  [250, 'simd', 'none', 'f32x4.convert_i32x4_s f32x4.convert_i32x4_u'],
  [252, 'simd', 'none', 'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero'],
  [254, 'simd', 'none', 'f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u'],
  [256, 'relaxed-simd', 'none', 'i8x16.relaxed_swizzle'],
  [257, 'relaxed-simd', 'none', of('i32x4.relaxed_trunc_', 'f32x4_s f32x4_u f64x2_s_zero f64x2_u_zero')],
  [
    261,
    'relaxed-simd',
    'none',
    'f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd f64x2.relaxed_nmadd',
  ],
  [265, 'relaxed-simd', 'none', 'i8x16.relaxed_laneselect i16x8.relaxed_laneselect'],
  [267, 'relaxed-simd', 'none', 'i32x4.relaxed_laneselect i64x2.relaxed_laneselect'],
  [269, 'relaxed-simd', 'none', 'f32x4.relaxed_min f32x4.relaxed_max f64x2.relaxed_min f64x2.relaxed_max'],
  [273, 'relaxed-simd', 'none', 'i16x8.relaxed_q15mulr_s i16x8.relaxed_dot_i8x16_i7x16_s'],
  [275, 'relaxed-simd', 'none', 'i32x4.relaxed_dot_i8x16_i7x16_add_s'],
];

const LOADED = 'i32.atomic.load i64.atomic.load i32.atomic.load8_u i32.atomic.load16_u';
const STORED = 'i32.atomic.store i64.atomic.store i32.atomic.store8 i32.atomic.store16';
const MODIFIED = (name: string): string =>
  `${of('i32.atomic.rmw', `.${name}`)} ${of('i64.atomic.rmw', `.${name}`)} ${of('i32.atomic.rmw', `8.${name}_u 16.${name}_u`)} ${of('i64.atomic.rmw', `8.${name}_u 16.${name}_u 32.${name}_u`)}`;

const THREADS: readonly Row[] = [
  [0x00, 'threads', 'memory', 'memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64'],
  [0x03, 'threads', 'zero', 'atomic.fence'],
  [0x10, 'threads', 'memory', `${LOADED} ${of('i64.atomic.load', '8_u 16_u 32_u')}`],
  [0x17, 'threads', 'memory', `${STORED} ${of('i64.atomic.store', '8 16 32')}`],
  [0x1e, 'threads', 'memory', ['add', 'sub', 'and', 'or', 'xor', 'xchg', 'cmpxchg'].map(MODIFIED).join(' ')],
];

/** The tables of codes: the first byte of those whose second is the code, and how many codes there are room for. */
export const PAGES: readonly (readonly [prefix: number | undefined, size: number, rows: readonly Row[]])[] = [
  [undefined, 256, ONE_BYTE],
  [0xfb, 32, GC],
  [0xfc, 32, MISCELLANEOUS],
  [0xfd, 288, VECTOR],
  [0xfe, 80, THREADS],
];
