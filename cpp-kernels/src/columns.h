/*
 * columns: from frames of interleaved channels to one column for each channel, and back (rows). Columns lie one behind the
 * other, `frames` floats each. `out` is apart from `in`. Exact: bits are moved.
 *
 * EINVAL: no channels, or more than 256. EFAULT: sluice-kernels.h.
 *
 * Source: the definition.
 */
#ifndef COLUMNS_H
#define COLUMNS_H
#include "pattern.h"

// `pitch`: floats from one column to the next.
static inline void to_columns(const float *in, uint32_t frames, uint32_t channels, float *out, uint64_t pitch) {
  uint32_t i = 0;
  if (channels == 1) {
    __builtin_memcpy(out, in, static_cast<uint64_t>(frames) * 4);
    return;
  }
  for (; channels == 2 && i + 4 <= frames; i += 4) {
    f32x4 a = load4(in + 2 * i), b = load4(in + 2 * i + 4);
    store(out + i, evens(a, b));
    store(out + pitch + i, odds(a, b));
  }
  for (; channels == 3 && i + 4 <= frames; i += 4) {
    // x0 y0 z0 x1, y1 z1 x2 y2, z2 x3 y3 z3
    f32x4 a = load4(in + 3 * i), b = load4(in + 3 * i + 4), c = load4(in + 3 * i + 8);
    f32x4 xy23 = picked<2, 3, 1, 2>(b, c), yz01 = picked<1, 2, 0, 1>(a, b);
    store(out + i, picked<0, 3, 0, 2>(a, xy23));
    store(out + pitch + i, picked<0, 2, 1, 3>(yz01, xy23));
    store(out + 2 * pitch + i, picked<1, 3, 0, 3>(yz01, c));
  }
  for (; channels == 4 && i + 4 <= frames; i += 4) {
    f32x4 a = load4(in + 4 * i), b = load4(in + 4 * i + 4), c = load4(in + 4 * i + 8), d = load4(in + 4 * i + 12);
    transpose(a, b, c, d);
    store(out + i, a);
    store(out + pitch + i, b);
    store(out + 2 * pitch + i, c);
    store(out + 3 * pitch + i, d);
  }
  // As words: a float that is a signalling NaN might not come through as it is.
  auto *words = reinterpret_cast<const uint32_t *>(in);
  for (; i < frames; i++) {
    for (uint32_t c = 0; c < channels; c++) __builtin_memcpy(out + c * pitch + i, words + static_cast<uint64_t>(i) * channels + c, 4);
  }
}

static inline int check_columns(const float *in, uint32_t frames, uint32_t channels, float *out) {
  if (!are_channels(channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  return are_sound({reads(in, count), writes(out, count)}) ? SLUICE_KERNEL_OK : SLUICE_KERNEL_EFAULT;
}

SLUICE_KERNEL_API int sluice_kernel_columns(const float *in, uint32_t frames, uint32_t channels, float *out) {
  if (int wrong = check_columns(in, frames, channels, out)) return wrong;
  to_columns(in, frames, channels, out, frames);
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_rows(const float *in, uint32_t frames, uint32_t channels, float *out) {
  if (int wrong = check_columns(in, frames, channels, out)) return wrong;
  for (uint32_t c = 0; c < channels; c++) {
    for (uint32_t i = 0; i < frames; i++) {
      __builtin_memcpy(out + static_cast<uint64_t>(i) * channels + c, in + static_cast<uint64_t>(c) * frames + i, 4);
    }
  }
  return SLUICE_KERNEL_OK;
}

#endif
