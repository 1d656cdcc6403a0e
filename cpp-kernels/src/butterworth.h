/*
 * butterworth, notch: sections for the kernel biquad, from frequencies.
 *
 * `frequency` and `width` are in cycles a sample (frequency in Hz over the sample rate). `sections` takes five doubles for each of
 * *count sections (b0, b1, b2, a1, a2), and has room for `room` of them.
 *
 * butterworth: low-pass, or high-pass where `is_high` is not 0, of `order` 1 to 16, in (order + 1) / 2 sections: flat where it
 * passes, 3.01 dB down at the frequency, 6.02 dB an octave and order beyond. notch: one section, nothing comes through at the
 * frequency, 3.01 dB down at the ends of a band of `width` around it. Off by some 2^-50 of each number.
 *
 * EINVAL: order is 0 or above 16. EDOM: a frequency or width is not above 0 and below 0.5. ENOSPC: more sections than room. EFAULT:
 * sluice-kernels.h.
 *
 * Source: Oppenheim and Schafer, Discrete-Time Signal Processing, 7.2 (bilinear transformation); the notch is an allpass in parallel.
 */
#ifndef BUTTERWORTH_H
#define BUTTERWORTH_H
#include "spans.h"
#include "turn.h"

SLUICE_KERNEL_API int sluice_kernel_butterworth(uint32_t is_high, uint32_t order, double frequency, double *sections, uint32_t room, uint32_t *count) {
  if (order == 0 || order > 16) return SLUICE_KERNEL_EINVAL;
  if (!(frequency > 0) || !(frequency < 0.5)) return SLUICE_KERNEL_EDOM;
  uint32_t needed = (order + 1) / 2;
  if (needed > room) return SLUICE_KERNEL_ENOSPC;
  if (!are_sound({writes(sections, needed * 5), writes(count)})) return SLUICE_KERNEL_EFAULT;
  Turn turn = turn_of(frequency / 2);
  // Where the bilinear transformation puts the frequency.
  double k = turn.sin / turn.cos;
  for (uint32_t pair = 0; pair < order / 2; pair++, sections += 5) {
    // The angle of a pair of poles from the negative real axis, in turns.
    double angle = order % 2 == 0 ? (2.0 * pair + 1) / (4.0 * order) : (pair + 1.0) / (2.0 * order);
    double damping = 2 * turn_of(angle).cos, by = 1 / (1 + k * damping + k * k), gain = is_high != 0 ? by : k * k * by;
    sections[0] = gain;
    sections[1] = is_high != 0 ? -2 * gain : 2 * gain;
    sections[2] = gain;
    sections[3] = 2 * (k * k - 1) * by;
    sections[4] = (1 - k * damping + k * k) * by;
  }
  if (order % 2 != 0) {
    double gain = is_high != 0 ? 1 / (1 + k) : k / (1 + k);
    sections[0] = gain;
    sections[1] = is_high != 0 ? -gain : gain;
    sections[2] = 0;
    sections[3] = (k - 1) / (k + 1);
    sections[4] = 0;
  }
  *count = needed;
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_notch(double frequency, double width, double *sections, uint32_t room, uint32_t *count) {
  if (!(frequency > 0) || !(frequency < 0.5) || !(width > 0) || !(width < 0.5)) return SLUICE_KERNEL_EDOM;
  if (room == 0) return SLUICE_KERNEL_ENOSPC;
  if (!are_sound({writes(sections, 5), writes(count)})) return SLUICE_KERNEL_EFAULT;
  Turn half = turn_of(width / 2);
  double k = half.sin / half.cos, by = 1 / (1 + k), middle = -2 * turn_of(frequency).cos * by;
  sections[0] = by;
  sections[1] = middle;
  sections[2] = by;
  sections[3] = middle;
  sections[4] = (1 - k) * by;
  *count = 1;
  return SLUICE_KERNEL_OK;
}

#endif
