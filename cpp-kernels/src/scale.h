/*
 * scale: x * gain + offset for each channel, so that counts become a unit.
 *
 * `gain` and `offset` hold a number for each channel, `in` and `out` frames of interleaved channels; out may be in. The product
 * is rounded, then the sum: off by at most u * |x * gain| + u * |result|.
 *
 * EINVAL: no channels, or more than 256. EDOM: a gain or an offset is NaN or infinite. EFAULT: sluice-kernels.h.
 *
 * Source: the definition.
 */
#ifndef SCALE_H
#define SCALE_H
#include "pattern.h"

SLUICE_KERNEL_API int sluice_kernel_scale(const float *in, uint32_t frames, uint32_t channels, const float *gain, const float *offset, float *out) {
  if (!are_channels(channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  if (!are_sound({reads(in, count), reads(gain, channels), reads(offset, channels), writes(out, count, in)})) return SLUICE_KERNEL_EFAULT;
  if (!are_finite(gain, channels) || !are_finite(offset, channels)) return SLUICE_KERNEL_EDOM;
  Pattern gains(gain, channels), offsets(offset, channels);
  for_each_sample(in, count, gains.length, out, [&](f32x4 x, uint32_t i) { return tidied(x * gains.at(i) + offsets.at(i)); });
  return SLUICE_KERNEL_OK;
}

#endif
