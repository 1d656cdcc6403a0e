/*
 * rms: root mean square, sqrt(sum of x * x / window), of each window; windows.h says how they lie, and the errnos.
 *
 * The sum is kept in doubles. With n samples in a window (at most 2^20) it is off by less than (n / 8 + 4) * 2^-53, the root by
 * half of that, rounding to float adds u. So where the result is a normal float
 *     |result - exact| <= exact * 2^-23.99
 * and where it is subnormal or zero it is off by at most 2^-150 * 1.01. Squares neither overflow nor underflow. An infinity
 * gives infinity, a NaN gives NaN.
 *
 * Source: the definition; the bound: Higham, Accuracy and Stability of Numerical Algorithms, 4.2.
 */
#ifndef RMS_H
#define RMS_H
#include "windows.h"

static inline double mean_square(const float *samples, uint32_t count) {
  return sum_of(samples, count, [](f64x2 x) { return x * x; }) / count;
}

static inline float rms_of(const float *samples, uint32_t count) { return tidied(__builtin_sqrt(mean_square(samples, count))); }

SLUICE_KERNEL_API int sluice_kernel_rms(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                                    uint32_t *written) {
  return over_windows(samples, count, window, hop, 1, out, room, written, [=](const float *at, float *to) { *to = rms_of(at, window); });
}

#endif
