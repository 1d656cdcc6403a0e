// lanes.h by SSE4.1, for the benchmark against native code; with -mavx2 the same at three operands each.
#ifndef LANES_SSE_H
#define LANES_SSE_H
#include <immintrin.h>

struct f32x4 { __m128 v; };
struct f64x2 { __m128d v; };
struct i32x4 { __m128i v; };
struct mask4 { __m128 v; };
struct mask2 { __m128d v; };
struct bytes16 { __m128i v; };

LANES f32x4 load4(const float *at) { return {_mm_loadu_ps(at)}; }
LANES f32x4 splat4(float x) { return {_mm_set1_ps(x)}; }
LANES f32x4 splat4_at(const float *at) { return {_mm_set1_ps(*at)}; }
LANES f32x4 set4(float a, float b, float c, float d) { return {_mm_setr_ps(a, b, c, d)}; }
LANES void store(float *at, f32x4 a) { _mm_storeu_ps(at, a.v); }
LANES f32x4 operator+(f32x4 a, f32x4 b) { return {_mm_add_ps(a.v, b.v)}; }
LANES f32x4 operator-(f32x4 a, f32x4 b) { return {_mm_sub_ps(a.v, b.v)}; }
LANES f32x4 operator*(f32x4 a, f32x4 b) { return {_mm_mul_ps(a.v, b.v)}; }
LANES f32x4 lesser(f32x4 a, f32x4 b) { return {_mm_min_ps(b.v, a.v)}; }
LANES f32x4 greater(f32x4 a, f32x4 b) { return {_mm_max_ps(b.v, a.v)}; }
LANES f32x4 magnitude_of(f32x4 a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)}; }
LANES f32x4 root(f32x4 a) { return {_mm_sqrt_ps(a.v)}; }
LANES mask4 is_less(f32x4 a, f32x4 b) { return {_mm_cmplt_ps(a.v, b.v)}; }
LANES mask4 is_within(f32x4 a, f32x4 b) { return {_mm_cmple_ps(a.v, b.v)}; }
LANES mask4 is_same(f32x4 a, f32x4 b) { return {_mm_cmpeq_ps(a.v, b.v)}; }
LANES mask4 operator&(mask4 a, mask4 b) { return {_mm_and_ps(a.v, b.v)}; }
LANES bool all(mask4 a) { return _mm_movemask_ps(a.v) == 15; }
LANES f32x4 choose(mask4 m, f32x4 yes, f32x4 no) { return {_mm_blendv_ps(no.v, yes.v, m.v)}; }
LANES f32x4 zip_low(f32x4 a, f32x4 b) { return {_mm_unpacklo_ps(a.v, b.v)}; }
LANES f32x4 zip_high(f32x4 a, f32x4 b) { return {_mm_unpackhi_ps(a.v, b.v)}; }
template <int i, int j, int k, int l> LANES f32x4 picked(f32x4 a, f32x4 b) { return {_mm_shuffle_ps(a.v, b.v, i | j << 2 | k << 4 | l << 6)}; }
LANES float first(f32x4 a) { return _mm_cvtss_f32(a.v); }

LANES f64x2 load2(const double *at) { return {_mm_loadu_pd(at)}; }
LANES f64x2 splat2(double x) { return {_mm_set1_pd(x)}; }
LANES f64x2 set2(double a, double b) { return {_mm_setr_pd(a, b)}; }
LANES void store(double *at, f64x2 a) { _mm_storeu_pd(at, a.v); }
LANES f64x2 operator+(f64x2 a, f64x2 b) { return {_mm_add_pd(a.v, b.v)}; }
LANES f64x2 operator-(f64x2 a, f64x2 b) { return {_mm_sub_pd(a.v, b.v)}; }
LANES f64x2 operator*(f64x2 a, f64x2 b) { return {_mm_mul_pd(a.v, b.v)}; }
LANES f64x2 operator/(f64x2 a, f64x2 b) { return {_mm_div_pd(a.v, b.v)}; }
LANES f64x2 root(f64x2 a) { return {_mm_sqrt_pd(a.v)}; }
LANES f64x2 greater(f64x2 a, f64x2 b) { return {_mm_max_pd(b.v, a.v)}; }
LANES mask2 is_less(f64x2 a, f64x2 b) { return {_mm_cmplt_pd(a.v, b.v)}; }
LANES mask2 is_same(f64x2 a, f64x2 b) { return {_mm_cmpeq_pd(a.v, b.v)}; }
LANES f64x2 choose(mask2 m, f64x2 yes, f64x2 no) { return {_mm_blendv_pd(no.v, yes.v, m.v)}; }
LANES f64x2 widened_low(f32x4 a) { return {_mm_cvtps_pd(a.v)}; }
LANES f64x2 widened_high(f32x4 a) { return {_mm_cvtps_pd(_mm_movehl_ps(a.v, a.v))}; }
LANES f32x4 narrowed(f64x2 low, f64x2 high) { return {_mm_movelh_ps(_mm_cvtpd_ps(low.v), _mm_cvtpd_ps(high.v))}; }
LANES f64x2 shifted(f64x2 a, f64x2 b) { return {_mm_shuffle_pd(a.v, b.v, 1)}; }
LANES f64x2 lows(f64x2 a, f64x2 b) { return {_mm_unpacklo_pd(a.v, b.v)}; }
LANES double first(f64x2 a) { return _mm_cvtsd_f64(a.v); }
LANES double second(f64x2 a) { return _mm_cvtsd_f64(_mm_unpackhi_pd(a.v, a.v)); }

LANES bytes16 load16(const void *at) { return {_mm_loadu_si128(static_cast<const __m128i *>(at))}; }
template <int x> LANES bytes16 order_of() {
  return {_mm_setr_epi8(0 ^ x, 1 ^ x, 2 ^ x, 3 ^ x, 4 ^ x, 5 ^ x, 6 ^ x, 7 ^ x, 8 ^ x, 9 ^ x, 10 ^ x, 11 ^ x, 12 ^ x, 13 ^ x, 14 ^ x, 15 ^ x)};
}
LANES bytes16 ordered(bytes16 a, bytes16 order) { return {_mm_shuffle_epi8(a.v, order.v)}; }
LANES i32x4 unsigned_low(bytes16 a) { return {_mm_cvtepu16_epi32(a.v)}; }
LANES i32x4 unsigned_high(bytes16 a) { return {_mm_unpackhi_epi16(a.v, _mm_setzero_si128())}; }
LANES i32x4 signed_low(bytes16 a) { return {_mm_cvtepi16_epi32(a.v)}; }
LANES i32x4 signed_high(bytes16 a) { return {_mm_cvtepi16_epi32(_mm_unpackhi_epi64(a.v, a.v))}; }
LANES i32x4 as_words(bytes16 a) { return {a.v}; }
LANES f32x4 as_floats(bytes16 a) { return {_mm_castsi128_ps(a.v)}; }
LANES f64x2 as_doubles(bytes16 a) { return {_mm_castsi128_pd(a.v)}; }
LANES i32x4 upper_half(i32x4 a) { return {_mm_srli_epi32(a.v, 16)}; }
LANES i32x4 lower_half(i32x4 a) { return {_mm_and_si128(a.v, _mm_set1_epi32(0xffff))}; }
LANES f32x4 converted(i32x4 a) { return {_mm_cvtepi32_ps(a.v)}; }

#endif
