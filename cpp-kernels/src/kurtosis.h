/*
 * kurtosis: the fourth central moment over the square of the second one, of each window; windows.h says how they lie, and the
 * errnos. 1.5 for a sine, 3 for noise, more where something knocks. In two passes in doubles: off by at most u of it and 2^-40
 * of the square of (largest |x| / deviation); 0 where all samples are the same, NaN where one is NaN or infinite.
 *
 * Source: Dyer and Stewart, Detection of rolling element bearing damage by statistical vibration analysis.
 */
#ifndef KURTOSIS_H
#define KURTOSIS_H
#include "spread.h"

static inline float kurtosis_of(const float *samples, uint32_t count) {
  double mean = mean_of(samples, count), variance = variance_of(samples, count, mean);
  if (variance == 0) return 0;
  f64x2 means = splat2(mean);
  double fourth = sum_of(samples, count, [=](f64x2 x) {
    f64x2 square = (x - means) * (x - means);
    return square * square;
  });
  return tidied(fourth / count / (variance * variance));
}

SLUICE_KERNEL_API int sluice_kernel_kurtosis(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                                         uint32_t *written) {
  return over_windows(samples, count, window, hop, 1, out, room, written, [=](const float *at, float *to) { *to = kurtosis_of(at, window); });
}

#endif
