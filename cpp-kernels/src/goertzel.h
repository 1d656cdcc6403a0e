/*
 * goertzel: what a signal holds at single frequencies: X(f) = sum of x[n] * exp(-2 pi i f n), n = 0 to count - 1.
 *
 * `frequencies` are `tones` numbers in cycles a sample, 0 to 0.5, not bound to the grid of an FFT. `out` takes two floats for each: the
 * real and the imaginary part. The amplitude of a sine there is 2 |X| / count. `samples` may lie anywhere, also unaligned.
 *
 * Eight recursions in doubles, each over every eighth sample, are put together at the end. Off by at most u of each part, and
 * (2^-40 + count * 2^-56) * sum of |x|. A NaN or an infinity gives NaN.
 *
 * EINVAL: count is above 2^20. EDOM: a frequency is not within 0 to 0.5. EFAULT: sluice-kernels.h.
 *
 * Source: Goertzel, An algorithm for the evaluation of finite trigonometric series.
 */
#ifndef GOERTZEL_H
#define GOERTZEL_H
#include "turn.h"
#include "windows.h"

static inline Turn goertzel_of(const float *samples, uint32_t count, double frequency) {
  uint32_t rows = count / 8;
  f64x2 zero = splat2(0), turn = splat2(2 * turn_of(8 * frequency).cos);
  // s1 of eight recursions, and s2, the one before.
  f64x2 a = zero, b = zero, c = zero, d = zero, a2 = zero, b2 = zero, c2 = zero, d2 = zero;
  for (uint32_t row = 0; row < rows; row++) {
    f32x4 low = load4(samples + 8 * row), high = load4(samples + 8 * row + 4);
    f64x2 next = (widened_low(low) - a2) + turn * a;
    a2 = a;
    a = next;
    next = (widened_high(low) - b2) + turn * b;
    b2 = b;
    b = next;
    next = (widened_low(high) - c2) + turn * c;
    c2 = c;
    c = next;
    next = (widened_high(high) - d2) + turn * d;
    d2 = d;
    d = next;
  }
  double s1[8], s2[8];
  store(s1, a);
  store(s1 + 2, b);
  store(s1 + 4, c);
  store(s1 + 6, d);
  store(s2, a2);
  store(s2 + 2, b2);
  store(s2 + 4, c2);
  store(s2 + 6, d2);
  Turn sum = {0, 0};
  auto add = [&](double re, double im, double turns) {
    Turn by = turn_of(-turns);
    sum.cos += re * by.cos - im * by.sin;
    sum.sin += re * by.sin + im * by.cos;
  };
  Turn step = turn_of(8 * frequency);
  for (uint32_t lane = 0; lane < 8 && rows > 0; lane++) {
    // s1 - exp(-i 8 w) s2 is the sum turned on to the last row.
    add(s1[lane] - step.cos * s2[lane], step.sin * s2[lane], frequency * (8.0 * (rows - 1) + lane));
  }
  for (uint32_t i = 8 * rows; i < count; i++) add(sample_at(samples, i), 0, frequency * i);
  return sum;
}

SLUICE_KERNEL_API int sluice_kernel_goertzel(const float *samples, uint32_t count, const double *frequencies, uint32_t tones, float *out) {
  if (count > SLUICE_KERNEL_WINDOW_MAX) return SLUICE_KERNEL_EINVAL;
  Span spans[] = {reads(samples, static_cast<uint64_t>(count) * 4, 1), reads(frequencies, tones), writes(out, static_cast<uint64_t>(tones) * 2)};
  if (!are_sound(spans)) return SLUICE_KERNEL_EFAULT;
  for (uint32_t i = 0; i < tones; i++) {
    if (!(frequencies[i] >= 0) || !(frequencies[i] <= 0.5)) return SLUICE_KERNEL_EDOM;
  }
  for (uint32_t i = 0; i < tones; i++) {
    Turn sum = goertzel_of(samples, count, frequencies[i]);
    out[2 * i] = tidied(sum.cos);
    out[2 * i + 1] = tidied(sum.sin);
  }
  return SLUICE_KERNEL_OK;
}

#endif
