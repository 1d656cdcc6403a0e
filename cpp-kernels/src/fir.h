/*
 * fir: a filter by convolution, y[n] = sum of taps[k] * x[n - k] for each channel; before the stream there were zeros.
 *
 * `in` and `out` are frames of interleaved channels; out may be in. The sum is kept in float, from tap 0 on, so it is off by at
 * most (count + 1) * u * sum of |taps[k] * x[n - k]| (and 2^-149 for each tap, where products are that small). A NaN or an
 * infinity is gone from the results as soon as it has left the taps.
 *
 * _init: `taps` are `count` numbers, 1 to 65,536. EINVAL: another count, no channels, or more than 256. EDOM: a tap is NaN or
 * infinite. ENOMEM, EFAULT: sluice-kernels.h. Handed over: the last count - 1 frames.
 *
 * Source: Oppenheim and Schafer, Discrete-Time Signal Processing, 2.3; the bound: Higham, Accuracy and Stability of Numerical
 * Algorithms, 3.1.
 */
#ifndef FIR_H
#define FIR_H
#include "pattern.h"

struct FirParts {
  // Floats of history, and floats that are worked on at a time behind it.
  uint32_t history, chunk;
  uint32_t taps, line, bytes;
  FirParts(uint32_t count, uint32_t channels) {
    history = (count - 1) * channels;
    // Long filters take more at a time, as the history is moved once for each chunk.
    chunk = (count < 256 ? 256 : count) * channels;
    Layout layout;
    taps = layout.list<float>(count);
    line = layout.list<float>(static_cast<uint64_t>(history) + chunk);
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_fir_bytes(uint32_t count, uint32_t channels) {
  return count > 0 && count <= SLUICE_KERNEL_TAPS_MAX && are_channels(channels) ? FirParts(count, channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_fir_init(void *state, uint32_t bytes, const float *taps, uint32_t count, uint32_t channels) {
  uint32_t needed = sluice_kernel_fir_bytes(count, channels);
  if (int wrong = check_room(state, bytes, needed, reads(taps, count))) return wrong;
  if (!are_finite(taps, count)) return SLUICE_KERNEL_EDOM;
  FirParts parts(count, channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("fir1"), needed, channels, {count, 0, 0}, parts.line, parts.history * 4};
  for (uint32_t i = 0; i < count; i++) part_of<float>(state, parts.taps)[i] = taps[i];
  return SLUICE_KERNEL_OK;
}

// `x` is where tap 0 meets the first result; the sample of tap k lies k * channels in front of it. The sums of 32 results are
// 8 vectors that do not wait for each other.
static inline void fir_sums(const float *taps, uint32_t count, uint32_t channels, const float *x, uint32_t results, float *out) {
  uint32_t i = 0;
  for (; i + 32 <= results; i += 32) {
    f32x4 a = splat4(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    const float *from = held(x + i), *at = held(taps);
    for (const float *end = taps + count; at != end; at = held(at + 1), from = held(from - channels)) {
      f32x4 tap = splat4_at(at);
      a = a + tap * load4(from);
      b = b + tap * load4(from + 4);
      c = c + tap * load4(from + 8);
      d = d + tap * load4(from + 12);
      e = e + tap * load4(from + 16);
      f = f + tap * load4(from + 20);
      g = g + tap * load4(from + 24);
      h = h + tap * load4(from + 28);
    }
    store(out + i, tidied(a));
    store(out + i + 4, tidied(b));
    store(out + i + 8, tidied(c));
    store(out + i + 12, tidied(d));
    store(out + i + 16, tidied(e));
    store(out + i + 20, tidied(f));
    store(out + i + 24, tidied(g));
    store(out + i + 28, tidied(h));
  }
  for (; i + 4 <= results; i += 4) {
    f32x4 sum = splat4(0);
    for (uint32_t k = 0; k < count; k++) sum = sum + splat4_at(taps + k) * load4(x + i - k * channels);
    store(out + i, tidied(sum));
  }
  for (; i < results; i++) {
    float sum = 0;
    for (uint32_t k = 0; k < count; k++) sum = sum + taps[k] * x[static_cast<int64_t>(i) - static_cast<int64_t>(k) * channels];
    out[i] = sum == sum ? sum : __builtin_nanf("");
  }
}

SLUICE_KERNEL_API int sluice_kernel_fir(void *state, const float *in, uint32_t frames, float *out) {
  if (int wrong = check_state(state, kind_of("fir1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, count = head->shape[0];
  if (head->bytes != sluice_kernel_fir_bytes(count, channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t left = static_cast<uint64_t>(frames) * channels;
  if (!is_stream(state, in, left, out)) return SLUICE_KERNEL_EFAULT;
  FirParts parts(count, channels);
  auto *taps = part_of<float>(state, parts.taps), *line = part_of<float>(state, parts.line);
  while (left > 0) {
    uint32_t some = left < parts.chunk ? static_cast<uint32_t>(left) : parts.chunk;
    __builtin_memcpy(line + parts.history, in, some * 4);
    fir_sums(taps, count, channels, line + parts.history, some, out);
    __builtin_memmove(line, line + some, parts.history * 4);
    in += some;
    out += some;
    left -= some;
  }
  return SLUICE_KERNEL_OK;
}

#endif
