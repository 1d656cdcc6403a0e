/*
 * clamp: holds each channel between `least` and `most`, which hold a number for each of them; an infinity is no bound.
 *
 * `in` and `out` are frames of interleaved channels; out may be in. Exact: a result is the sample, or the bound that it was
 * beyond. NaN stays NaN.
 *
 * EINVAL: no channels, or more than 256. EDOM: a bound is NaN, or least is above most. EFAULT: sluice-kernels.h.
 *
 * Source: the definition.
 */
#ifndef CLAMP_H
#define CLAMP_H
#include "pattern.h"

SLUICE_KERNEL_API int sluice_kernel_clamp(const float *in, uint32_t frames, uint32_t channels, const float *least, const float *most, float *out) {
  if (!are_channels(channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  if (!are_sound({reads(in, count), reads(least, channels), reads(most, channels), writes(out, count, in)})) return SLUICE_KERNEL_EFAULT;
  for (uint32_t i = 0; i < channels; i++) {
    if (!(least[i] <= most[i])) return SLUICE_KERNEL_EDOM;
  }
  Pattern low(least, channels), high(most, channels);
  for_each_sample(in, count, low.length, out, [&](f32x4 x, uint32_t i) { return tidied(lesser(greater(x, low.at(i)), high.at(i))); });
  return SLUICE_KERNEL_OK;
}

#endif
