/*
 * spread: four results of each window: the smallest sample, the largest, the mean, and the standard deviation (of the
 * population: divided by the number of samples). windows.h says how they lie, and the errnos; `room` counts single results.
 *
 * Least and most are exact. The mean is off by at most u of it and 2^-49 of the mean of |x|, the deviation (in two passes) by
 * 2^-23.9 of it and 2^-49 of the mean of |x|. A NaN in the window makes all four NaN; with an infinity the deviation is NaN.
 *
 * Source: Chan, Golub and LeVeque, Algorithms for computing the sample variance (two passes).
 */
#ifndef SPREAD_H
#define SPREAD_H
#include "windows.h"

static inline double mean_of(const float *samples, uint32_t count) {
  return sum_of(samples, count, [](f64x2 x) { return x; }) / count;
}

static inline double variance_of(const float *samples, uint32_t count, double mean) {
  f64x2 means = splat2(mean);
  return sum_of(samples, count, [=](f64x2 x) { return (x - means) * (x - means); }) / count;
}

struct Spread {
  float least, most, mean, deviation;
};

static inline Spread spread_of(const float *samples, uint32_t count) {
  f32x4 low = splat4(__builtin_inff()), high = splat4(-__builtin_inff());
  f32x4 low_too = low, high_too = high;
  mask4 fine = is_same(low, low);
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    f32x4 x = load4(samples + i), y = load4(samples + i + 4);
    fine = fine & is_same(x, x) & is_same(y, y);
    low = lesser(low, x);
    low_too = lesser(low_too, y);
    high = greater(high, x);
    high_too = greater(high_too, y);
  }
  float lanes[8], least = __builtin_inff(), most = -__builtin_inff();
  store(lanes, lesser(low, low_too));
  store(lanes + 4, greater(high, high_too));
  for (uint32_t lane = 0; lane < 4; lane++) {
    least = lanes[lane] < least ? lanes[lane] : least;
    most = most < lanes[lane + 4] ? lanes[lane + 4] : most;
  }
  bool whole = all(fine);
  for (; i < count; i++) {
    float x = sample_at(samples, i);
    whole = whole && x == x;
    least = x < least ? x : least;
    most = most < x ? x : most;
  }
  float nan = __builtin_nanf("");
  if (!whole) return {nan, nan, nan, nan};
  double mean = mean_of(samples, count);
  return {least, most, tidied(mean), tidied(__builtin_sqrt(variance_of(samples, count, mean)))};
}

SLUICE_KERNEL_API int sluice_kernel_spread(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                                       uint32_t *written) {
  return over_windows(samples, count, window, hop, 4, out, room, written, [=](const float *at, float *to) {
    Spread spread = spread_of(at, window);
    __builtin_memcpy(to, &spread, sizeof spread);
  });
}

#endif
