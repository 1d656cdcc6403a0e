/*
 * peak: the largest |x| of each window; windows.h says how they lie, and the errnos. Exact. A NaN in the window gives NaN.
 *
 * Source: the definition.
 */
#ifndef PEAK_H
#define PEAK_H
#include "windows.h"

static inline float peak_of(const float *samples, uint32_t count) {
  f32x4 a = splat4(0), b = a, c = a, d = a;
  mask4 fine = is_same(a, a);
  uint32_t i = 0;
  auto larger = [&](f32x4 most, const float *at) {
    f32x4 x = load4(at);
    fine = fine & is_same(x, x);
    return greater(most, magnitude_of(x));
  };
  for (; i + 16 <= count; i += 16) {
    a = larger(a, samples + i);
    b = larger(b, samples + i + 4);
    c = larger(c, samples + i + 8);
    d = larger(d, samples + i + 12);
  }
  float lanes[4], most = 0;
  store(lanes, greater(greater(a, b), greater(c, d)));
  for (float lane : lanes) most = most < lane ? lane : most;
  bool whole = all(fine);
  for (; i < count; i++) {
    float x = __builtin_fabsf(sample_at(samples, i));
    whole = whole && x == x;
    most = most < x ? x : most;
  }
  return whole ? most : __builtin_nanf("");
}

SLUICE_KERNEL_API int sluice_kernel_peak(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                                     uint32_t *written) {
  return over_windows(samples, count, window, hop, 1, out, room, written, [=](const float *at, float *to) { *to = peak_of(at, window); });
}

#endif
