/*
 * deadband: what has hardly moved stays as it was. A sample passes if it is the first of its channel, if it differs from the last
 * one that passed by more than the channel's band (in the samples' unit, rounded to float), or if one of the two is NaN and
 * the other is not; else the last one that passed comes out again. So with a band of 0 all that changes passes.
 *
 * `in` and `out` are frames of interleaved channels; out may be in. *passed is how many samples have passed. Exact.
 *
 * _init: `band` holds a number for each channel. EINVAL: no channels, or more than 256. EDOM: a band is negative, NaN or infinite.
 * ENOMEM, EFAULT: sluice-kernels.h. Handed over: the last samples.
 *
 * Source: OPC UA Part 4, DataChangeFilter (absolute deadband: against the last value that was told).
 */
#ifndef DEADBAND_H
#define DEADBAND_H
#include "pattern.h"

struct DeadbandParts {
  uint32_t band, last, seen, bytes;
  explicit DeadbandParts(uint32_t channels) {
    Layout layout;
    band = layout.list<float>(channels);
    // One part that is handed over: the last samples, and whether there were any.
    last = layout.list<float>(channels + 1);
    seen = last + 4 * channels;
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_deadband_bytes(uint32_t channels) {
  return are_channels(channels) ? DeadbandParts(channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_deadband_init(void *state, uint32_t bytes, uint32_t channels, const float *band) {
  uint32_t needed = sluice_kernel_deadband_bytes(channels);
  if (int wrong = check_room(state, bytes, needed, reads(band, channels))) return wrong;
  for (uint32_t i = 0; i < channels; i++) {
    if (!(band[i] >= 0) || !is_finite(band[i])) return SLUICE_KERNEL_EDOM;
  }
  DeadbandParts parts(channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("ded1"), needed, channels, {0, 0, 0}, parts.last, 4 * channels + 4};
  for (uint32_t i = 0; i < channels; i++) part_of<float>(state, parts.band)[i] = band[i];
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_deadband(void *state, const float *in, uint32_t frames, float *out, uint32_t *passed) {
  if (int wrong = check_state(state, kind_of("ded1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels;
  DeadbandParts parts(channels);
  if (head->bytes != parts.bytes) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  if (!are_sound({whole_state(state), reads(in, count), writes(out, count, in), writes(passed)})) return SLUICE_KERNEL_EFAULT;
  auto *band = part_of<float>(state, parts.band), *last = part_of<float>(state, parts.last);
  auto *seen = part_of<uint32_t>(state, parts.seen);
  uint32_t moved = 0;
  auto step = [&](uint64_t i, uint32_t channel) {
    float x = in[i], held = last[channel];
    bool was = held == held, is = x == x, far = was && is && __builtin_fabsf(x - held) > band[channel];
    if (*seen == 0 || was != is || far) {
      last[channel] = held = is ? x : __builtin_nanf("");
      moved++;
    }
    out[i] = held;
  };
  uint64_t i = 0;
  for (; i < count && *seen == 0; i += channels) {
    for (uint32_t c = 0; c < channels; c++) step(i + c, c);
    *seen = 1;
  }
  // Most of the time nothing moves: a whole round of channels is looked at before any of it is.
  while (i < count) {
    Pattern held(last, channels), bands(band, channels);
    for (; i + held.length <= count; i += held.length) {
      mask4 quiet = {};
      for (uint32_t j = 0; j < held.length; j += 4) {
        mask4 here = is_within(magnitude_of(load4(in + i + j) - held.at(j)), bands.at(j));
        quiet = j == 0 ? here : quiet & here;
      }
      if (!all(quiet)) break;
      for (uint32_t j = 0; j < held.length; j += 4) store(out + i + j, held.at(j));
    }
    uint64_t end = i + held.length < count ? i + held.length : count;
    for (; i < end; i += channels) {
      for (uint32_t c = 0; c < channels; c++) step(i + c, c);
    }
  }
  *passed = moved;
  return SLUICE_KERNEL_OK;
}

#endif
