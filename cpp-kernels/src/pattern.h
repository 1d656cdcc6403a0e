// Numbers that belong to channels, laid out as interleaved samples meet them: four at a time, over and over.
#ifndef PATTERN_H
#define PATTERN_H
#include "lanes.h"
#include "state.h"

static inline f32x4 tidied(f32x4 x) { return choose(is_same(x, x), x, splat4(__builtin_nanf(""))); }

struct Pattern {
  // A multiple of four and of the channels, long enough that a round of the loop is worth it.
  uint32_t length;
  alignas(16) float values[4 * SLUICE_KERNEL_CHANNELS_MAX];

  Pattern(const float *list, uint32_t channels) {
    length = 4 * channels;
    while (length < 16) length *= 2;
    for (uint32_t i = 0; i < length; i++) values[i] = list[i % channels];
  }
  f32x4 at(uint32_t i) const { return load4(values + i); }
};

static inline bool are_channels(uint32_t channels) { return channels > 0 && channels <= SLUICE_KERNEL_CHANNELS_MAX; }

// A stream through a state block: samples in, as many out, perhaps in the same place.
static inline bool is_stream(void *state, const float *in, uint64_t count, float *out) {
  return are_sound({whole_state(state), reads(in, count), writes(out, count, in)});
}

// out[i] = what(in[i], place of i in a pattern of `length`), four at a time; `what` is asked for the last few too, with zeros
// behind them.
template <class What>
static inline void for_each_sample(const float *in, uint64_t count, uint32_t length, float *out, What what) {
  uint64_t i = 0;
  if (length == 16) {
    // Of one, two or four channels the pattern is held in registers.
    for (; i + 16 <= count; i += 16) {
      const float *from = held(in + i);
      float *to = held(out + i);
      store(to, what(load4(from), 0));
      store(to + 4, what(load4(from + 4), 4));
      store(to + 8, what(load4(from + 8), 8));
      store(to + 12, what(load4(from + 12), 12));
    }
  }
  for (; i + length <= count; i += length) {
    for (uint32_t j = 0; j < length; j += 4) store(out + i + j, what(load4(in + i + j), j));
  }
  for (uint32_t j = 0; i < count; i += 4, j += 4) {
    uint32_t left = count - i < 4 ? static_cast<uint32_t>(count - i) : 4;
    alignas(16) float last[4] = {};
    for (uint32_t k = 0; k < left; k++) last[k] = in[i + k];
    store(last, what(load4(last), j));
    for (uint32_t k = 0; k < left; k++) out[i + k] = last[k];
  }
}

#endif
