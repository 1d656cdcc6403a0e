/*
 * zscore: how many standard deviations a sample is from the mean of the `window` samples in front of it, for each channel.
 *
 * Mean and deviation are those of sliding.h, without the sample itself. A deviation below `least` counts as `least`, so that a
 * sensor which stood still does not cry at its first step. Until there are `window` samples the score is 0. `in` and `out`
 * are frames of interleaved channels; out may be in. Off by at most 2^-23.9 of the score and window * 2^-49 of the largest |x| over
 * the deviation. A NaN, or one in front of it, gives NaN.
 *
 * _init: EINVAL: window is below 2 or above 2^20, no channels, or more than 256. EDOM: least is not above 0, or infinite. ENOMEM, EFAULT:
 * sluice-kernels.h. Handed over: the window.
 *
 * Source: the definition; mean and deviation as in sliding.h.
 */
#ifndef ZSCORE_H
#define ZSCORE_H
#include "sliding.h"

SLUICE_KERNEL_API uint32_t sluice_kernel_zscore_bytes(uint32_t window, uint32_t channels) {
  uint32_t bytes = window < 2 ? 0 : sliding_bytes(window, channels);
  return bytes == 0 ? 0 : bytes + 16;
}

SLUICE_KERNEL_API int sluice_kernel_zscore_init(void *state, uint32_t bytes, uint32_t window, uint32_t channels, float least) {
  uint32_t needed = sluice_kernel_zscore_bytes(window, channels);
  if (int wrong = check_room(state, bytes, needed)) return wrong;
  if (!(least > 0) || !is_finite(least)) return SLUICE_KERNEL_EDOM;
  sliding_reset(state, kind_of("zsc1"), window, channels);
  static_cast<sluice_kernel_state *>(state)->bytes = needed;
  *part_of<float>(state, needed - 16) = least;
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_zscore(void *state, const float *in, uint32_t frames, float *out) {
  if (int wrong = check_state(state, kind_of("zsc1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, window = head->shape[0];
  if (head->bytes != sluice_kernel_zscore_bytes(window, channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  if (!is_stream(state, in, count, out)) return SLUICE_KERNEL_EFAULT;
  Sliding windows(state, window, channels);
  if (!windows.is_sound()) return SLUICE_KERNEL_EINVAL;
  double least = *part_of<float>(state, head->bytes - 16);
  for (uint64_t i = 0; i < count; windows.next()) {
    for (uint32_t c = 0; c < channels; c++, i++) {
      float x = in[i];
      Digest before = windows.of(c);
      windows.with(c, x);
      double deviation = __builtin_sqrt(before.squares / before.count);
      double score = (x - before.mean) / (deviation < least ? least : deviation);
      if (x != x) score = x;
      else if (before.count < window) score = 0;
      out[i] = score == score ? static_cast<float>(score) : __builtin_nanf("");
    }
  }
  return SLUICE_KERNEL_OK;
}

#endif
