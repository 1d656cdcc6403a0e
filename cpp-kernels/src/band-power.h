/*
 * band_power: how much of a power density (spectrum.h) lies in bands of frequency, in unit^2; its root is the rms of the signal in
 * that band.
 *
 * `density` are `count` numbers, the first at 0 Hz, `spacing` Hz from one to the next. `edges` holds two doubles for each of `bands`
 * bands, from and to in Hz: a bin counts where from <= its frequency < to, times spacing. `out` takes `bands` floats, apart from
 * density. A band without a bin has 0. Sums are kept in doubles: off by at most u of the result and a little (2^-23.9).
 *
 * EDOM: spacing is not above 0 or infinite, an edge is negative or NaN, or a band ends in front of its beginning. EFAULT:
 * sluice-kernels.h.
 *
 * Source: Parseval's theorem.
 */
#ifndef BAND_POWER_H
#define BAND_POWER_H
#include "windows.h"

// The first bin at or above `frequency`.
static inline uint32_t first_bin(double frequency, double spacing, uint32_t count) {
  double at = frequency / spacing;
  if (!(at < count)) return count;
  auto bin = static_cast<uint32_t>(at);
  // The division may have rounded across a bin: the product decides.
  while (bin < count && bin * spacing < frequency) bin++;
  while (bin > 0 && (bin - 1) * spacing >= frequency) bin--;
  return bin;
}

SLUICE_KERNEL_API int sluice_kernel_band_power(const float *density, uint32_t count, double spacing, const double *edges, uint32_t bands, float *out) {
  if (!are_sound({reads(density, count), reads(edges, static_cast<uint64_t>(bands) * 2), writes(out, bands)})) return SLUICE_KERNEL_EFAULT;
  if (!(spacing > 0) || !is_finite(spacing)) return SLUICE_KERNEL_EDOM;
  for (uint32_t i = 0; i < bands; i++) {
    if (!(edges[2 * i] >= 0) || !(edges[2 * i + 1] >= edges[2 * i])) return SLUICE_KERNEL_EDOM;
  }
  for (uint32_t i = 0; i < bands; i++) {
    uint32_t from = first_bin(edges[2 * i], spacing, count), to = first_bin(edges[2 * i + 1], spacing, count);
    out[i] = tidied(sum_of(density + from, to - from, [](f64x2 x) { return x; }) * spacing);
  }
  return SLUICE_KERNEL_OK;
}

#endif
