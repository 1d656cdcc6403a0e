// The kernel `rms` on plain buffers. Bounds and errors: ../include/sluice-kernels.h.
#ifndef RMS_H
#define RMS_H
#include "sluice-kernels.h"

#ifndef SLUICE_SCALAR
#include <wasm_simd128.h>
#endif

// Sample i goes to sum i % 8: eight chains of additions that do not wait for each other, in four vectors of two
// doubles or in eight doubles. The sums are put together in one order, so both builds round the same way.
static inline double add_sums(const double *s) {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

// Samples in the middle of a frame begin anywhere.
static inline double sample_at(const float *samples, uint32_t i) {
  float x;
  __builtin_memcpy(&x, samples + i, sizeof x);
  return x;
}

static double sum_of_squares(const float *samples, uint32_t count) {
  double sums[8] = {};
  uint32_t i = 0;
#ifdef SLUICE_SCALAR
  for (; i + 8 <= count; i += 8) {
    for (uint32_t lane = 0; lane < 8; lane++) {
      double x = sample_at(samples, i + lane);
      sums[lane] += x * x;
    }
  }
#else
  v128_t a = wasm_f64x2_const_splat(0), b = a, c = a, d = a;
  for (; i + 8 <= count; i += 8) {
    v128_t low = wasm_v128_load(samples + i), high = wasm_v128_load(samples + i + 4);
    v128_t x0 = wasm_f64x2_promote_low_f32x4(low);
    v128_t x1 = wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(low, low, 1, 1));
    v128_t x2 = wasm_f64x2_promote_low_f32x4(high);
    v128_t x3 = wasm_f64x2_promote_low_f32x4(wasm_i64x2_shuffle(high, high, 1, 1));
    a = wasm_f64x2_add(a, wasm_f64x2_mul(x0, x0));
    b = wasm_f64x2_add(b, wasm_f64x2_mul(x1, x1));
    c = wasm_f64x2_add(c, wasm_f64x2_mul(x2, x2));
    d = wasm_f64x2_add(d, wasm_f64x2_mul(x3, x3));
  }
  wasm_v128_store(sums, a);
  wasm_v128_store(sums + 2, b);
  wasm_v128_store(sums + 4, c);
  wasm_v128_store(sums + 6, d);
#endif
  for (uint32_t lane = 0; i < count; i++, lane++) {
    double x = sample_at(samples, i);
    sums[lane] += x * x;
  }
  return add_sums(sums);
}

static inline float rms_of(const float *samples, uint32_t count) {
  double root = __builtin_elementwise_sqrt(sum_of_squares(samples, count) / count);
  // The sign and payload of a NaN are the machine's choice: always give the same one.
  return root != root ? __builtin_nanf("") : static_cast<float>(root);
}

extern "C" inline int sluice_kernel_rms(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out,
                                        uint32_t room, uint32_t *written) {
  if (window == 0 || window > SLUICE_KERNEL_WINDOW_MAX || hop == 0) return SLUICE_KERNEL_EINVAL;
  uint32_t windows = count < window ? 0 : (count - window) / hop + 1;
  if (windows > room) return SLUICE_KERNEL_ENOSPC;
  for (uint32_t i = 0; i < windows; i++) out[i] = rms_of(samples + static_cast<uint64_t>(i) * hop, window);
  *written = windows;
  return SLUICE_KERNEL_OK;
}

#endif
