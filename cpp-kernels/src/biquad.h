/*
 * biquad: a cascade of second-order sections, the usual form of low-pass, high-pass, band-pass and notch filters.
 *
 * A section is five doubles b0, b1, b2, a1, a2 (a0 is 1): y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2], computed in
 * transposed direct form II in doubles; one section's result is the next one's input. Only the last result is rounded to
 * float, so the error is u of the result and what double precision leaves: for filters whose poles are 10^-4 or more inside of
 * the unit circle less than 10^-7 of the largest result. `in` and `out` are frames of interleaved channels; out may be in.
 *
 * A NaN or an infinity, in the samples or grown in a section, comes out once as NaN or infinity; behind it the channel goes on
 * from rest, since else it would never end.
 *
 * _init: `sections` are `count` times five doubles, 1 to 16 sections. EINVAL: another count, no channels, or more than 256. EDOM: a
 * number is NaN or infinite, or a pole is not inside of the unit circle. ENOMEM, EFAULT: sluice-kernels.h. Handed over: two
 * doubles for each section and channel; with other coefficients than before the filter has to settle.
 *
 * Source: Oppenheim and Schafer, Discrete-Time Signal Processing, structures for IIR systems.
 */
#ifndef BIQUAD_H
#define BIQUAD_H
#include "biquad-lanes.h"
#include "pattern.h"

SLUICE_KERNEL_API uint32_t sluice_kernel_biquad_bytes(uint32_t count, uint32_t channels) {
  return count > 0 && count <= SLUICE_KERNEL_SECTIONS_MAX && are_channels(channels) ? BiquadParts(count, channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_biquad_init(void *state, uint32_t bytes, const double *sections, uint32_t count, uint32_t channels) {
  uint32_t needed = sluice_kernel_biquad_bytes(count, channels);
  if (int wrong = check_room(state, bytes, needed, reads(sections, count * 5))) return wrong;
  for (uint32_t i = 0; i < count; i++) {
    const double *s = sections + 5 * i;
    bool finite = is_finite(s[0]) && is_finite(s[1]) && is_finite(s[2]);
    // The triangle in which both roots of z^2 + a1 z + a2 are inside of the unit circle.
    if (!finite || !(s[4] < 1) || !(__builtin_fabs(s[3]) < 1 + s[4])) return SLUICE_KERNEL_EDOM;
  }
  BiquadParts parts(count, channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("biq1"), needed, channels, {count, 0, 0}, parts.memory, parts.groups * 64};
  auto *list = part_of<Section4>(state, parts.sections);
  if (channels > 1) {
    for (uint32_t i = 0; i < count; i++) {
      for (uint32_t lane = 0; lane < 4; lane++) set_section(list[i], lane, sections + 5 * i);
    }
  } else {
    // Lanes without a section hand on what they are given.
    static const double through[5] = {1, 0, 0, 0, 0};
    for (uint32_t i = 0; i < parts.groups * 4; i++) set_section(list[i / 4], i % 4, i < count ? sections + 5 * i : through);
  }
  return SLUICE_KERNEL_OK;
}

// `count` frames by lanes: false if something on the way was not finite, and then
// the memory is of no more use.
static inline bool biquad_chunk(void *state, const BiquadParts &parts, uint32_t sections, const float *in, uint32_t count, float *out) {
  auto *list = part_of<Section4>(state, parts.sections);
  auto *memory = part_of<Memory4>(state, parts.memory);
  auto *line = part_of<double>(state, parts.line);
  uint32_t channels = static_cast<sluice_kernel_state *>(state)->channels;
  if (channels == 1) {
    widen(in, count, line);
    for (uint32_t group = 0; group < parts.groups; group++) run_sections(list[group], memory[group], line, count);
    return narrow(line, count, out);
  }
  bool finite = true;
  for (uint32_t first = 0; first < channels; first += 4, memory += sections) {
    uint32_t some = channels - first < 4 ? channels - first : 4;
    gather_four(in + first, count, channels, some, line);
    for (uint32_t s = 0; s < sections; s++) run_channels(list[s], memory[s], line, count);
    finite = scatter_four(line, count, channels, some, out + first) && finite;
  }
  return finite;
}

// The same, one number after the other: after one that is not finite the channel goes on from rest.
static inline void biquad_carefully(void *state, const BiquadParts &parts, uint32_t sections, const float *in, uint32_t count, float *out) {
  auto *list = part_of<Section4>(state, parts.sections);
  auto *memory = part_of<Memory4>(state, parts.memory);
  uint32_t channels = static_cast<sluice_kernel_state *>(state)->channels;
  for (uint64_t i = 0; i < static_cast<uint64_t>(count) * channels; i++) {
    auto channel = static_cast<uint32_t>(i % channels);
    auto place = [&](uint32_t s) { return channels == 1 ? Place{s / 4, s / 4, s % 4} : Place{s, channel / 4 * sections + s, channel % 4}; };
    double value = in[i];
    for (uint32_t s = 0; s < sections; s++) {
      auto [section, group, lane] = place(s);
      value = step_lane(list[section], memory[group], lane, value);
    }
    out[i] = narrowed_once(value);
    if (is_finite(value)) continue;
    for (uint32_t s = 0; s < sections; s++) {
      auto [section, group, lane] = place(s);
      memory[group].s1[lane] = memory[group].s2[lane] = 0;
    }
  }
}

SLUICE_KERNEL_API int sluice_kernel_biquad(void *state, const float *in, uint32_t frames, float *out) {
  if (int wrong = check_state(state, kind_of("biq1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, sections = head->shape[0];
  if (head->bytes != sluice_kernel_biquad_bytes(sections, channels)) return SLUICE_KERNEL_EINVAL;
  if (!is_stream(state, in, static_cast<uint64_t>(frames) * channels, out)) return SLUICE_KERNEL_EFAULT;
  BiquadParts parts(sections, channels);
  auto *memory = part_of<double>(state, parts.memory), *saved = part_of<double>(state, parts.saved);
  for (uint32_t some; frames > 0; frames -= some, in += some * channels, out += some * channels) {
    some = frames < BiquadParts::CHUNK ? frames : BiquadParts::CHUNK;
    for (uint32_t i = 0; i < parts.groups * 8; i++) {
      // What has faded below all that a float can show would soon cost a hundred times the time, as subnormals do.
      if (__builtin_fabs(memory[i]) < 1e-200) memory[i] = 0;
      saved[i] = memory[i];
    }
    bool in_place = in == out;
    if (in_place) __builtin_memcpy(part_of<float>(state, parts.input), in, some * channels * 4);
    if (biquad_chunk(state, parts, sections, in, some, out)) continue;
    for (uint32_t i = 0; i < parts.groups * 8; i++) memory[i] = saved[i];
    biquad_carefully(state, parts, sections, in_place ? part_of<float>(state, parts.input) : in, some, out);
  }
  return SLUICE_KERNEL_OK;
}

#endif
