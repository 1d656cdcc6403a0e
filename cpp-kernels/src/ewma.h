/*
 * ewma: how many standard deviations a sample is from what its channel usually is; mean and variance follow the samples and
 * forget the old ones, each sample weighs `weight` (0.01: about the last hundred count).
 *
 *     score = (x - mean) / max(sqrt(variance), least);  mean += a * (x - mean);  variance = (1 - a) * (variance + a * (x - mean)^2)
 *
 * with the mean and the variance from before x, in doubles. For the first samples a is 1 / n until that falls below `weight`,
 * so that the start is their plain mean; for the first `settle` samples the score is 0. `in` and `out` are frames of interleaved
 * channels; out may be in. Off by at most u of the score, and what doubles leave: 2^-40 of |x| over the deviation. A NaN or an
 * infinity scores NaN and leaves mean and variance as they were.
 *
 * _init: EINVAL: no channels, or more than 256. EDOM: weight is not above 0 and at most 1, or least is not above 0, or infinite. ENOMEM,
 * EFAULT: sluice-kernels.h. Handed over: mean, variance and count of each channel.
 *
 * Source: Finch, Incremental calculation of weighted mean and variance.
 */
#ifndef EWMA_H
#define EWMA_H
#include "pattern.h"

struct EwmaParts {
  uint32_t settings, mean, variance, count, bytes;
  explicit EwmaParts(uint32_t channels) {
    // Rows of whole vectors.
    uint32_t row = (channels + 1) & ~1u;
    Layout layout;
    settings = layout.list<double>(3);
    // Handed over from here on.
    mean = layout.list<double>(row);
    variance = layout.list<double>(row);
    count = layout.list<double>(row);
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_ewma_bytes(uint32_t channels) {
  return are_channels(channels) ? EwmaParts(channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_ewma_init(void *state, uint32_t bytes, uint32_t channels, double weight, uint32_t settle, float least) {
  uint32_t needed = sluice_kernel_ewma_bytes(channels);
  if (int wrong = check_room(state, bytes, needed)) return wrong;
  if (!(weight > 0) || !(weight <= 1) || !(least > 0) || !is_finite(least)) return SLUICE_KERNEL_EDOM;
  EwmaParts parts(channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("ewm1"), needed, channels, {0, 0, 0}, parts.mean, needed - parts.mean};
  auto *settings = part_of<double>(state, parts.settings);
  settings[0] = weight;
  settings[1] = settle;
  settings[2] = least;
  return SLUICE_KERNEL_OK;
}

// Two channels, one sample of each.
struct Ewma2 {
  f64x2 weight, settle, least;
  f64x2 step(f64x2 x, double *mean, double *variance, double *count) const {
    f64x2 one = splat2(1), m = load2(mean), v = load2(variance), n = load2(count) + one;
    f64x2 off = x - m, a = greater(one / n, weight), nan = splat2(__builtin_nan(""));
    mask2 finite = is_same(off - off, splat2(0));
    f64x2 score = off / greater(root(v), least);
    store(mean, choose(finite, m + a * off, m));
    store(variance, choose(finite, (one - a) * (v + a * off * off), v));
    store(count, choose(finite, n, load2(count)));
    return choose(finite, choose(is_less(settle, n), score, splat2(0)), nan);
  }
};

SLUICE_KERNEL_API int sluice_kernel_ewma(void *state, const float *in, uint32_t frames, float *out) {
  if (int wrong = check_state(state, kind_of("ewm1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels;
  if (head->bytes != sluice_kernel_ewma_bytes(channels)) return SLUICE_KERNEL_EINVAL;
  if (!is_stream(state, in, static_cast<uint64_t>(frames) * channels, out)) return SLUICE_KERNEL_EFAULT;
  EwmaParts parts(channels);
  auto *settings = part_of<double>(state, parts.settings);
  auto *mean = part_of<double>(state, parts.mean), *variance = part_of<double>(state, parts.variance), *count = part_of<double>(state, parts.count);
  Ewma2 two = {splat2(settings[0]), splat2(settings[1]), splat2(settings[2])};
  for (uint32_t i = 0; i < frames; i++, in += channels, out += channels) {
    uint32_t c = 0;
    for (; c + 4 <= channels; c += 4) {
      f32x4 x = load4(in + c);
      f64x2 low = two.step(widened_low(x), mean + c, variance + c, count + c);
      f64x2 high = two.step(widened_high(x), mean + c + 2, variance + c + 2, count + c + 2);
      store(out + c, tidied(narrowed(low, high)));
    }
    for (; c < channels; c += 2) {
      bool both = c + 1 < channels;
      f64x2 score = two.step(set2(in[c], both ? in[c + 1] : 0), mean + c, variance + c, count + c);
      f32x4 pair = tidied(narrowed(score, score));
      float four[4];
      store(four, pair);
      out[c] = four[0];
      if (both) out[c + 1] = four[1];
    }
  }
  return SLUICE_KERNEL_OK;
}

#endif
