/*
 * taper: what a window of samples is multiplied with before its spectrum is taken, so that tones between two bins do not leak all
 * over it.
 *
 * Fills `out` with `count` numbers, periodic (the one behind the last would be the first), each next to its exact value. `sums`
 * takes two doubles: their sum (for amplitudes) and the sum of their squares (for power), as they were rounded.
 *
 *   RECTANGLE       all 1
 *   HANN            what one takes without a reason for another
 *   HAMMING         nearest side lobe lower, far ones higher
 *   BLACKMAN_HARRIS four terms, side lobes 92 dB down: small tones beside large ones
 *   FLAT_TOP        five terms: amplitudes right to 0.1 % wherever in a bin the tone is
 *
 * EINVAL: no such taper, or count is 0 or above 65,536. EFAULT: sluice-kernels.h.
 *
 * Source: Harris, On the use of windows for harmonic analysis with the discrete Fourier transform; flat top: ISO 18431-2.
 */
#ifndef TAPER_H
#define TAPER_H
#include "lanes.h"
#include "spans.h"
#include "turn.h"

enum sluice_taper { SLUICE_RECTANGLE, SLUICE_HANN, SLUICE_HAMMING, SLUICE_BLACKMAN_HARRIS, SLUICE_FLAT_TOP, SLUICE_TAPERS };

#define SLUICE_KERNEL_TAPER_MAX 65536u

SLUICE_KERNEL_API int sluice_kernel_taper(uint32_t kind, uint32_t count, float *out, double *sums) {
  // Of cos(0), -cos(1), cos(2), ... turns of n / count.
  static const double terms[SLUICE_TAPERS][5] = {
      {1, 0, 0, 0, 0},
      {0.5, 0.5, 0, 0, 0},
      {0.54, 0.46, 0, 0, 0},
      {0.35875, 0.48829, 0.14128, 0.01168, 0},
      {1, 1.933, 1.286, 0.388, 0.0322},
  };
  if (kind >= SLUICE_TAPERS || count == 0 || count > SLUICE_KERNEL_TAPER_MAX) return SLUICE_KERNEL_EINVAL;
  if (!are_sound({writes(out, count), writes(sums, 2)})) return SLUICE_KERNEL_EFAULT;
  double sum = 0, squares = 0;
  for (uint32_t n = 0; n < count; n++) {
    double value = 0;
    for (uint32_t k = 0; k < 5; k++) {
      double part = terms[kind][k] == 0 ? 0 : terms[kind][k] * turn_of(static_cast<double>(static_cast<uint64_t>(n) * k % count) / count).cos;
      value += k % 2 == 0 ? part : -part;
    }
    out[n] = static_cast<float>(value);
    sum += static_cast<double>(out[n]);
    squares += static_cast<double>(out[n]) * static_cast<double>(out[n]);
  }
  sums[0] = sum;
  sums[1] = squares;
  return SLUICE_KERNEL_OK;
}

/*
 * out[i] = a[i] * b[i], rounded once; out may be a. EFAULT: sluice-kernels.h.
 */
SLUICE_KERNEL_API int sluice_kernel_multiply(const float *a, const float *b, uint32_t count, float *out) {
  if (!are_sound({reads(a, count), reads(b, count), writes(out, count, a)})) return SLUICE_KERNEL_EFAULT;
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    f32x4 x = load4(a + i) * load4(b + i);
    store(out + i, choose(is_same(x, x), x, splat4(__builtin_nanf(""))));
  }
  for (; i < count; i++) {
    float x = a[i] * b[i];
    out[i] = x == x ? x : __builtin_nanf("");
  }
  return SLUICE_KERNEL_OK;
}

#endif
