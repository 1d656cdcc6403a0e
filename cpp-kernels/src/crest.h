/*
 * crest: the crest factor, peak over rms, of each window; windows.h says how they lie, and the errnos. 1 for a square wave, 1.414 for
 * a sine, above 5 where something knocks. Off by at most u of it and a little (2^-23.98); 0 where all samples are 0; NaN
 * where one is NaN or infinite.
 *
 * Source: the definition.
 */
#ifndef CREST_H
#define CREST_H
#include "peak.h"
#include "rms.h"

static inline float crest_of(const float *samples, uint32_t count) {
  double peak = peak_of(samples, count);
  return peak == 0 ? 0 : tidied(peak / __builtin_sqrt(mean_square(samples, count)));
}

SLUICE_KERNEL_API int sluice_kernel_crest(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                                      uint32_t *written) {
  return over_windows(samples, count, window, hop, 1, out, room, written, [=](const float *at, float *to) { *to = crest_of(at, window); });
}

#endif
