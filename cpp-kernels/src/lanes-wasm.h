// lanes.h by the 128-bit vectors of WebAssembly.
#ifndef LANES_WASM_H
#define LANES_WASM_H
#include <wasm_simd128.h>

struct f32x4 { v128_t v; };
struct f64x2 { v128_t v; };
struct i32x4 { v128_t v; };
struct mask4 { v128_t v; };
struct mask2 { v128_t v; };
struct bytes16 { v128_t v; };

LANES f32x4 load4(const float *at) { return {wasm_v128_load(at)}; }
LANES f32x4 splat4(float x) { return {wasm_f32x4_splat(x)}; }
LANES f32x4 splat4_at(const float *at) { return {wasm_v128_load32_splat(at)}; }
LANES f32x4 set4(float a, float b, float c, float d) { return {wasm_f32x4_make(a, b, c, d)}; }
LANES void store(float *at, f32x4 a) { wasm_v128_store(at, a.v); }
LANES f32x4 operator+(f32x4 a, f32x4 b) { return {wasm_f32x4_add(a.v, b.v)}; }
LANES f32x4 operator-(f32x4 a, f32x4 b) { return {wasm_f32x4_sub(a.v, b.v)}; }
LANES f32x4 operator*(f32x4 a, f32x4 b) { return {wasm_f32x4_mul(a.v, b.v)}; }
LANES f32x4 lesser(f32x4 a, f32x4 b) { return {wasm_f32x4_pmin(a.v, b.v)}; }
LANES f32x4 greater(f32x4 a, f32x4 b) { return {wasm_f32x4_pmax(a.v, b.v)}; }
LANES f32x4 magnitude_of(f32x4 a) { return {wasm_f32x4_abs(a.v)}; }
LANES f32x4 root(f32x4 a) { return {wasm_f32x4_sqrt(a.v)}; }
LANES mask4 is_less(f32x4 a, f32x4 b) { return {wasm_f32x4_lt(a.v, b.v)}; }
LANES mask4 is_within(f32x4 a, f32x4 b) { return {wasm_f32x4_le(a.v, b.v)}; }
LANES mask4 is_same(f32x4 a, f32x4 b) { return {wasm_f32x4_eq(a.v, b.v)}; }
LANES mask4 operator&(mask4 a, mask4 b) { return {wasm_v128_and(a.v, b.v)}; }
LANES bool all(mask4 a) { return wasm_i32x4_all_true(a.v); }
LANES f32x4 choose(mask4 m, f32x4 yes, f32x4 no) { return {wasm_v128_bitselect(yes.v, no.v, m.v)}; }
LANES f32x4 zip_low(f32x4 a, f32x4 b) { return {wasm_i32x4_shuffle(a.v, b.v, 0, 4, 1, 5)}; }
LANES f32x4 zip_high(f32x4 a, f32x4 b) { return {wasm_i32x4_shuffle(a.v, b.v, 2, 6, 3, 7)}; }
/* (a[i], a[j], b[k], b[l]) */
template <int i, int j, int k, int l> LANES f32x4 picked(f32x4 a, f32x4 b) { return {wasm_i32x4_shuffle(a.v, b.v, i, j, 4 + k, 4 + l)}; }
LANES float first(f32x4 a) { return wasm_f32x4_extract_lane(a.v, 0); }

LANES f64x2 load2(const double *at) { return {wasm_v128_load(at)}; }
LANES f64x2 splat2(double x) { return {wasm_f64x2_splat(x)}; }
LANES f64x2 set2(double a, double b) { return {wasm_f64x2_make(a, b)}; }
LANES void store(double *at, f64x2 a) { wasm_v128_store(at, a.v); }
LANES f64x2 operator+(f64x2 a, f64x2 b) { return {wasm_f64x2_add(a.v, b.v)}; }
LANES f64x2 operator-(f64x2 a, f64x2 b) { return {wasm_f64x2_sub(a.v, b.v)}; }
LANES f64x2 operator*(f64x2 a, f64x2 b) { return {wasm_f64x2_mul(a.v, b.v)}; }
LANES f64x2 operator/(f64x2 a, f64x2 b) { return {wasm_f64x2_div(a.v, b.v)}; }
LANES f64x2 root(f64x2 a) { return {wasm_f64x2_sqrt(a.v)}; }
LANES f64x2 greater(f64x2 a, f64x2 b) { return {wasm_f64x2_pmax(a.v, b.v)}; }
LANES mask2 is_less(f64x2 a, f64x2 b) { return {wasm_f64x2_lt(a.v, b.v)}; }
LANES mask2 is_same(f64x2 a, f64x2 b) { return {wasm_f64x2_eq(a.v, b.v)}; }
LANES f64x2 choose(mask2 m, f64x2 yes, f64x2 no) { return {wasm_v128_bitselect(yes.v, no.v, m.v)}; }
LANES f64x2 widened_low(f32x4 a) { return {wasm_f64x2_promote_low_f32x4(a.v)}; }
LANES f64x2 widened_high(f32x4 a) { return {wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(a.v, a.v, 1, 1))}; }
LANES f32x4 narrowed(f64x2 low, f64x2 high) {
  return {wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(low.v), wasm_f32x4_demote_f64x2_zero(high.v), 0, 2)};
}
/* (a1, b0): what a chain of two places hands on. */
LANES f64x2 shifted(f64x2 a, f64x2 b) { return {wasm_i64x2_shuffle(a.v, b.v, 1, 2)}; }
LANES f64x2 lows(f64x2 a, f64x2 b) { return {wasm_i64x2_shuffle(a.v, b.v, 0, 2)}; }
LANES double first(f64x2 a) { return wasm_f64x2_extract_lane(a.v, 0); }
LANES double second(f64x2 a) { return wasm_f64x2_extract_lane(a.v, 1); }

LANES bytes16 load16(const void *at) { return {wasm_v128_load(at)}; }
/* Byte i of `ordered` by it is byte i ^ x. A constant: then a swizzle by it is one instruction. */
template <int x> LANES bytes16 order_of() {
  v128_t order = wasm_i8x16_const(0 ^ x, 1 ^ x, 2 ^ x, 3 ^ x, 4 ^ x, 5 ^ x, 6 ^ x, 7 ^ x, 8 ^ x, 9 ^ x, 10 ^ x, 11 ^ x, 12 ^ x, 13 ^ x, 14 ^ x, 15 ^ x);
#if __clang_major__ >= 22
  // Into a register ahead of the loop; else the compiler does so at each use. Clang 19 fails over a vector here.
  asm("" : "+r"(order));
#endif
  return {order};
}
LANES bytes16 ordered(bytes16 a, bytes16 order) { return {wasm_i8x16_swizzle(a.v, order.v)}; }
LANES i32x4 unsigned_low(bytes16 a) { return {wasm_u32x4_extend_low_u16x8(a.v)}; }
LANES i32x4 unsigned_high(bytes16 a) { return {wasm_u32x4_extend_high_u16x8(a.v)}; }
LANES i32x4 signed_low(bytes16 a) { return {wasm_i32x4_extend_low_i16x8(a.v)}; }
LANES i32x4 signed_high(bytes16 a) { return {wasm_i32x4_extend_high_i16x8(a.v)}; }
LANES i32x4 as_words(bytes16 a) { return {a.v}; }
LANES f32x4 as_floats(bytes16 a) { return {a.v}; }
LANES f64x2 as_doubles(bytes16 a) { return {a.v}; }
LANES i32x4 upper_half(i32x4 a) { return {wasm_u32x4_shr(a.v, 16)}; }
LANES i32x4 lower_half(i32x4 a) { return {wasm_v128_and(a.v, wasm_i32x4_const_splat(0xffff))}; }
LANES f32x4 converted(i32x4 a) { return {wasm_f32x4_convert_i32x4(a.v)}; }

#endif
