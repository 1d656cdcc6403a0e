/*
 * What the kernels over windows of one channel share: rms, peak, crest, kurtosis, spread.
 *
 * The windows are `window` samples each, the next one begins `hop` samples behind the last one. There are as many results as
 * there are whole windows in `count` samples; *written is their number. Samples may lie anywhere, also unaligned.
 *
 * EINVAL: window is 0 or above 2^20, or hop is 0. ENOSPC: more results than `room`. EFAULT: sluice-kernels.h.
 */
#ifndef WINDOWS_H
#define WINDOWS_H
#include "lanes.h"
#include "spans.h"

// Samples in the middle of a frame begin anywhere.
static inline float sample_at(const float *samples, uint32_t i) {
  float x;
  __builtin_memcpy(&x, samples + i, sizeof x);
  return x;
}

// Sample i goes to sum i % 8: eight chains of additions that do not wait for each other, put together in one order.
static inline double add_sums(const double *s) {
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

// The sum of what(x) over doubles, which takes and gives two of them at a time.
template <class What> static inline double sum_of(const float *samples, uint32_t count, What what) {
  f64x2 a = splat2(0), b = a, c = a, d = a;
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    f32x4 low = load4(samples + i), high = load4(samples + i + 4);
    a = a + what(widened_low(low));
    b = b + what(widened_high(low));
    c = c + what(widened_low(high));
    d = d + what(widened_high(high));
  }
  double sums[8];
  store(sums, a);
  store(sums + 2, b);
  store(sums + 4, c);
  store(sums + 6, d);
  for (uint32_t lane = 0; i < count; i++, lane++) sums[lane] += first(what(splat2(sample_at(samples, i))));
  return add_sums(sums);
}

static inline float tidied(double x) { return x == x ? static_cast<float>(x) : __builtin_nanf(""); }

// what(samples of a window, results of it) for each window; `each` results a window.
template <class What>
static inline int over_windows(const float *samples, uint32_t count, uint32_t window, uint32_t hop, uint32_t each, float *out, uint32_t room,
                               uint32_t *written, What what) {
  if (window == 0 || window > SLUICE_KERNEL_WINDOW_MAX || hop == 0) return SLUICE_KERNEL_EINVAL;
  uint64_t windows = count < window ? 0 : (count - window) / hop + 1, results = windows * each;
  if (results > room) return SLUICE_KERNEL_ENOSPC;
  if (!are_sound({reads(samples, static_cast<uint64_t>(count) * 4, 1), writes(out, results), writes(written)})) return SLUICE_KERNEL_EFAULT;
  for (uint32_t i = 0; i < windows; i++) what(samples + static_cast<uint64_t>(i) * hop, out + i * each);
  *written = static_cast<uint32_t>(results);
  return SLUICE_KERNEL_OK;
}

#endif
