/*
 * average: the mean of the last `window` samples of each channel, at each sample; while there are fewer, of those.
 *
 * `in` and `out` are frames of interleaved channels; out may be in. Each sum is made anew from two parts that are only added to
 * (the samples of this stretch of `window`, and the rest of the one before), so errors do not pile up and a NaN or an infinity
 * is gone when it has left the window. Off by at most u of the mean, and window * 2^-53 of the mean of |x|.
 *
 * _init: EINVAL: window is 0 or above 2^20, no channels, or more than 256. ENOMEM, EFAULT: sluice-kernels.h. Handed over: the
 * window.
 *
 * Source: the definition; the two parts are those of a queue made of two stacks.
 */
#ifndef AVERAGE_H
#define AVERAGE_H
#include "pattern.h"

struct AverageParts {
  uint32_t place, sum, rest, samples, bytes;
  AverageParts(uint32_t window, uint32_t channels) {
    Layout layout;
    // Handed over from here on: where in its stretch the stream is, and whether there was one before.
    place = layout.list<uint32_t>(2);
    sum = layout.list<double>(channels);
    // rest[i]: sum of samples i to the end of the stretch before; a row more, of zeros.
    rest = layout.list<double>((static_cast<uint64_t>(window) + 1) * channels);
    samples = layout.list<float>(static_cast<uint64_t>(window) * channels);
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_average_bytes(uint32_t window, uint32_t channels) {
  return window > 0 && window <= SLUICE_KERNEL_WINDOW_MAX && are_channels(channels) ? AverageParts(window, channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_average_init(void *state, uint32_t bytes, uint32_t window, uint32_t channels) {
  uint32_t needed = sluice_kernel_average_bytes(window, channels);
  if (int wrong = check_room(state, bytes, needed)) return wrong;
  AverageParts parts(window, channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("avg1"), needed, channels, {window, 0, 0}, parts.place, needed - parts.place};
  return SLUICE_KERNEL_OK;
}

// One frame: the samples join the stretch, the means come out.
static inline void average_frame(const float *in, uint32_t channels, double *sum, const double *rest, double count, float *kept, float *out) {
  uint32_t c = 0;
  f64x2 counts = splat2(count);
  for (; c + 4 <= channels; c += 4) {
    f32x4 x = load4(in + c);
    store(kept + c, x);
    f64x2 low = load2(sum + c) + widened_low(x), high = load2(sum + c + 2) + widened_high(x);
    store(sum + c, low);
    store(sum + c + 2, high);
    store(out + c, tidied(narrowed((low + load2(rest + c)) / counts, (high + load2(rest + c + 2)) / counts)));
  }
  for (; c < channels; c++) {
    kept[c] = in[c];
    sum[c] += static_cast<double>(in[c]);
    double mean = (sum[c] + rest[c]) / count;
    out[c] = mean == mean ? static_cast<float>(mean) : __builtin_nanf("");
  }
}

SLUICE_KERNEL_API int sluice_kernel_average(void *state, const float *in, uint32_t frames, float *out) {
  if (int wrong = check_state(state, kind_of("avg1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, window = head->shape[0];
  if (head->bytes != sluice_kernel_average_bytes(window, channels)) return SLUICE_KERNEL_EINVAL;
  if (!is_stream(state, in, static_cast<uint64_t>(frames) * channels, out)) return SLUICE_KERNEL_EFAULT;
  AverageParts parts(window, channels);
  auto *place = part_of<uint32_t>(state, parts.place), *full = place + 1;
  auto *sum = part_of<double>(state, parts.sum), *rest = part_of<double>(state, parts.rest);
  auto *samples = part_of<float>(state, parts.samples);
  if (*place >= window) return SLUICE_KERNEL_EINVAL;
  for (uint32_t i = 0; i < frames; i++, in += channels, out += channels) {
    double count = *full != 0 ? window : *place + 1;
    average_frame(in, channels, sum, rest + (*place + 1) * channels, count, samples + *place * channels, out);
    if (++*place < window) continue;
    for (uint32_t row = window; row-- > 0;) {
      for (uint32_t c = 0; c < channels; c++) rest[row * channels + c] = rest[(row + 1) * channels + c] + static_cast<double>(samples[row * channels + c]);
    }
    for (uint32_t c = 0; c < channels; c++) sum[c] = 0;
    *place = 0;
    *full = 1;
  }
  return SLUICE_KERNEL_OK;
}

#endif
