/*
 * spectrum: what the bins of an FFT (fft.h) say about the signal, one number a bin.
 *
 * `bins` are `count` pairs, bin 0 first and the last one that of half the sample rate, so count is samples / 2 + 1; `out` takes count
 * floats and may be bins.
 *   sluice_kernel_magnitude   sqrt(re^2 + im^2) * scale: with 2 / (sum of the taper) the amplitude of a sine
 *   sluice_kernel_power       (re^2 + im^2) * scale: with 2 / (rate * sum of the squared taper) the power density in unit^2 / Hz
 * Both are one-sided: bin 0 and the last one, which have no mirror image, count half (magnitude: half, power: half), where
 * count is above 2.
 *
 * Squares are taken and added in doubles, so nothing overflows on the way; off by at most u of the result and a little (2^-23.9).
 *
 * EDOM: scale is negative, NaN or infinite. EFAULT: sluice-kernels.h.
 *
 * Source: Heinzel, Ruediger and Schilling, Spectrum and spectral density estimation by the discrete Fourier transform.
 */
#ifndef SPECTRUM_H
#define SPECTRUM_H
#include "lanes.h"
#include "spans.h"

// what(re^2 + im^2), two at a time.
template <class What>
static inline int over_bins(const float *bins, uint32_t count, double scale, float *out, What what) {
  if (!(scale >= 0) || !is_finite(scale)) return SLUICE_KERNEL_EDOM;
  if (!are_sound({reads(bins, static_cast<uint64_t>(count) * 2), writes(out, count, bins)})) return SLUICE_KERNEL_EFAULT;
  f64x2 by = splat2(scale);
  f32x4 nan = splat4(__builtin_nanf(""));
  auto four = [&](f32x4 low, f32x4 high) {
    f32x4 re = evens(low, high), im = odds(low, high);
    f64x2 a = widened_low(re), b = widened_low(im), c = widened_high(re), d = widened_high(im);
    f32x4 x = narrowed(what(a * a + b * b) * by, what(c * c + d * d) * by);
    return choose(is_same(x, x), x, nan);
  };
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) store(out + i, four(load4(bins + 2 * i), load4(bins + 2 * i + 4)));
  if (i < count) {
    alignas(16) float rest[8] = {}, results[4];
    for (uint32_t k = 0; k < (count - i) * 2; k++) rest[k] = bins[2 * i + k];
    store(results, four(load4(rest), load4(rest + 4)));
    for (uint32_t k = 0; i + k < count; k++) out[i + k] = results[k];
  }
  if (count > 2) {
    out[0] *= 0.5f;
    out[count - 1] *= 0.5f;
  }
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_magnitude(const float *bins, uint32_t count, double scale, float *out) {
  return over_bins(bins, count, scale, out, [](f64x2 x) { return root(x); });
}

SLUICE_KERNEL_API int sluice_kernel_power(const float *bins, uint32_t count, double scale, float *out) {
  return over_bins(bins, count, scale, out, [](f64x2 x) { return x; });
}

#endif
