import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { moduleOf } from './wasm-bytes.js';

/** Small modules that together use every section and every kind of immediate, in the text format, by what they show. */
const TEXTS = {
  mvp: `(module
    (type $binary (func (param i32 i32) (result i32)))
    (import "env" "log" (func $log (param i32)))
    (import "env" "table" (table 1 funcref))
    (import "env" "offset" (global $offset i32))
    (memory (export "memory") 1 2)
    (global $g (mut i64) (i64.const -9223372036854775808))
    (global (mut f32) (f32.const 1.5))
    (global (mut f64) (f64.const nan))
    (elem (global.get $offset) $add $loop)
    (data (i32.const 65530) "123456")
    (data (global.get $offset) "computed")
    (start $init)
    (func $init (call $log (i32.const -2147483648)))
    (func $add (export "add") (type $binary) (i32.add (local.get 0) (local.get 1)))
    (func $loop (param $n i32) (result i32) (local i64 i64 f32 f64)
      (block $out (loop $again
        (br_if $out (i32.eqz (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (if (i32.and (local.get $n) (i32.const 1)) (then (br $again)) (else nop))
        (block (block (block (br_table 0 1 2 $again (local.get $n)))))
        (br $again)))
      (i64.store offset=4000 align=4 (i32.const 8) (global.get $g))
      (f64.store (i32.const 16) (f64.promote_f32 (f32.load offset=70000 (i32.const 0))))
      (drop (memory.grow (memory.size)))
      (drop (select (i32.const 300) (i32.const 70000) (i32.const 0)))
      (call_indirect (type $binary) (i32.const 1) (i32.const 2) (i32.const 0)))
    (func (unreachable) (drop (f64.const 3.25))))`,
  simd: `(module (memory 1) (global v128 (v128.const i64x2 1 2))
    (func (param v128) (result v128) (local v128)
      (v128.store8_lane offset=3 5 (i32.const 0) (local.get 0))
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 31 (local.get 0)
        (f32x4.replace_lane 3 (v128.load offset=300 (i32.const 0)) (f32.const 2)))
      (f64x2.mul (v128.load64_zero (i32.const 1)) (v128.const f64x2 1 2))
      i8x16.add (v128.load8_splat (i32.const 0)) v128.and)
    (func (drop (i64x2.extract_lane 1 (i32x4.trunc_sat_f32x4_s (v128.const i32x4 0 0 0 0))))))`,
  'relaxed-simd': `(module (func (param v128) (result v128)
      (f32x4.relaxed_madd (local.get 0) (local.get 0)
        (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get 0) (local.get 0) (local.get 0)))))`,
  'bulk-memory': `(module (memory 1) (table $t 10 funcref) (table $u 10 funcref)
    (data $d "passive") (elem $e func $f) (elem declare func $f) (elem (table $u) (i32.const 2) func $f $f)
    (func $f (memory.init $d (i32.const 0) (i32.const 0) (i32.const 7)) (data.drop $d)
      (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
      (table.init $u $e (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $e)
      (table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 1))))`,
  'reference-types': `(module (table $x 1 externref) (table $f 2 funcref)
    (elem (table $f) (i32.const 0) funcref (ref.func $g) (ref.null func)) (elem funcref (ref.null func))
    (elem declare funcref (ref.func $h))
    (func $g (param externref) (result i32)
      (table.set $x (i32.const 0) (local.get 0))
      (drop (select (result externref) (local.get 0) (ref.null extern) (i32.const 1)))
      (drop (table.grow $x (ref.null extern) (i32.const 1))) (table.fill $x (i32.const 0) (local.get 0) (i32.const 1))
      (drop (table.size $x)) (ref.is_null (table.get $x (i32.const 0))))
    (func $h (drop (block (result funcref) (ref.func $h))) (drop (loop (result externref) (ref.null extern)))))`,
  'multi-value': `(module (func (param i32) (result i32 i64) (block (param) (result i32 i64) (i32.const 1) (i64.const 2)))
    (func (param i32) (result i32) (local.get 0) (loop (param i32) (result i32))))`,
  'sign-extension': `(module (func (param i64) (result i64) (i64.extend32_s (local.get 0))))`,
  'saturating-conversions': `(module (func (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0))))`,
  'extended-const': `(module (import "m" "g" (global $g i32)) (memory 1)
    (global i32 (i32.add (global.get $g) (i32.const 4))) (data (i32.sub (global.get $g) (i32.const 1)) "x"))`,
  'tail-call': `(module (type $t (func (param i32) (result i32))) (table 1 funcref)
    (func $f (param i32) (result i32) (return_call $f (local.get 0)))
    (func (param i32) (result i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0))))`,
  threads: `(module (memory 1 2 shared)
    (func (drop (i32.atomic.rmw.add offset=8 (i32.const 0) (i32.const 1))) (atomic.fence)
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (drop (i64.atomic.rmw32.cmpxchg_u (i32.const 0) (i64.const 0) (i64.const 0)))))`,
  exceptions: `(module (tag $e (param i32))
    (func (result i32) (block $caught (result i32) (try_table (catch $e $caught) (throw $e (i32.const 1))) (i32.const 2)))
    (func (block $all (try_table (result) (catch_all $all))))
    (func (result i32 exnref) (block $both (result i32 exnref) (try_table (catch_ref $e $both)) unreachable))
    (func (result exnref) (block $r (result exnref) (try_table (catch_all_ref $r)) unreachable)))`,
  'function-references': `(module (type $t (func (param i32) (result i32)))
    (func $f (type $t) (local (ref null $t)) (call_ref $t (local.get 0) (ref.as_non_null (local.get 1))))
    (func (param (ref $t)) (result i32) (block $null (br_on_null $null (local.get 0)) (drop)) (call_ref $t (i32.const 1) (local.get 0)))
    (table 1 2 (ref $t) (ref.func $f)) (elem declare func $f))`,
  gc: `(module
    (rec (type $node (sub (struct (field (mut (ref null $node))) (field i8) (field (mut f64)))))
      (type $leaf (sub final $node (struct (field (mut (ref null $node))) (field i8) (field (mut f64)) (field v128)))))
    (type $bytes (array (mut i8))) (type $refs (array (mut anyref)))
    (global $zero (ref i31) (ref.i31 (i32.const 0)))
    (global (ref $bytes) (array.new_fixed $bytes 2 (i32.const 1) (i32.const 2)))
    (data $d "0123456789")
    (func (param $n (ref $node)) (param $a anyref) (result i32)
      (struct.set $node 2 (local.get $n) (f64.const 1))
      (drop (struct.get_s $node 1 (local.get $n)))
      (drop (struct.new_default $node))
      (drop (array.new_data $bytes $d (i32.const 0) (i32.const 4)))
      (array.copy $bytes $bytes (array.new $bytes (i32.const 1) (i32.const 2)) (i32.const 0)
        (array.new_default $bytes (i32.const 9)) (i32.const 0) (i32.const 1))
      (drop (ref.test (ref null $leaf) (local.get $n)))
      (drop (ref.cast (ref i31) (local.get $a)))
      (drop (block $l (result (ref $leaf)) (br_on_cast $l anyref (ref $leaf) (local.get $a)) (unreachable)))
      (drop (ref.eq (local.get $n) (local.get $n)))
      (drop (extern.convert_any (local.get $a)))
      (array.fill $refs (array.new_fixed $refs 0) (i32.const 0) (local.get $a) (i32.const 0))
      (i31.get_u (global.get $zero))))`,
  memory64: `(module (memory i64 1) (func (param i64) (result i32) (i32.load offset=0x1234567890 (local.get 0))))`,
  'multi-memory': `(module (memory 1) (memory $second 1 2)
    (func (result i32) (i32.store $second offset=9 (i32.const 0) (i32.const 1)) (memory.copy $second 0 (i32.const 0) (i32.const 0) (i32.const 4))
      (i32.load $second (i32.const 0))))`,
  'wide-arithmetic': `(module (func (param i64 i64 i64 i64) (result i64 i64)
      (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3))))`,
} as const;

export type FeatureName = keyof typeof TEXTS;
export const FEATURE_NAMES = Object.keys(TEXTS) as FeatureName[];

/** The bytes of a small module that uses a feature class, and as few others as it can. */
export async function featureModule(name: FeatureName): Promise<Uint8Array> {
  return parse(TEXTS[name]);
}

/** Exceptions as they were first, with every instruction of theirs: no text format writes them any more. */
export const LEGACY_EXCEPTIONS: Uint8Array = moduleOf(
  [1, [1, 0x60, 0, 0]],
  [3, [1, 0]],
  [13, [1, 0, 0]],
  [10, [1, 16, 0], [0x06, 0x40, 0x06, 0x40, 0x08, 0, 0x18, 0], [0x07, 0, 0x09, 0, 0x19, 0x0b, 0x0b]],
);
