// Samples out of a block. Between kernels they are floats already. Behind a source or a converter a block is bytes, and what
// these mean is told by the settings input, skip, channels and rate.
#ifndef READER_H
#define READER_H
#include "decode.h"
#include "settings.h"

struct Samples {
  // Null: `wrong` says why.
  const float *at;
  uint32_t frames, channels;
  double rate;
  sluice_errno wrong;
  uint32_t count() const { return frames * channels; }
};

static inline Samples no_samples(sluice_errno why) { return {nullptr, 0, 0, 0, why}; }

// A line in the log, once: an errno has no words.
SETTINGS_FAR static void tell_once(sluice_text why) {
  static bool has_told;
  if (!has_told) sluice_log(SLUICE_WARN, why);
  has_told = true;
}

// Of a block of floats; behind `decode`, that is.
SETTINGS_FAR static Samples samples_of(const sluice_block *block) {
  static const float none = 0;
  if (block->format != SLUICE_F32) {
    tell_once(SLUICE_TEXT("bytes came where samples are expected: put decode, or another kernel that reads bytes, in front"));
    return no_samples(SLUICE_EINVAL);
  }
  if (block->channels == 0 || block->channels > SLUICE_KERNEL_CHANNELS_MAX) return no_samples(SLUICE_EINVAL);
  if (block->count % block->channels != 0) return no_samples(SLUICE_EINVAL);
  auto *at = block->count == 0 ? &none : static_cast<const float *>(block->data);
  return {at, block->count / block->channels, block->channels, block->rate, SLUICE_EINVAL};
}

struct Reader {
  uint32_t type = SLUICE_FLOAT32, order = SLUICE_DCBA, skip = 0, channels = 1;
  double rate = 0;

  // Is this setting one of mine? Then its value has been read.
  SETTINGS_FAR bool takes(Settings *settings) {
    if (settings->is(SLUICE_TEXT("input"))) read_input(settings);
    else if (settings->is(SLUICE_TEXT("skip"))) skip = settings->whole(0, 65535);
    else if (settings->is(SLUICE_TEXT("channels"))) channels = settings->whole(1, SLUICE_KERNEL_CHANNELS_MAX);
    else if (settings->is(SLUICE_TEXT("rate"))) rate = settings->number(0, 1e9);
    else return false;
    return true;
  }

  // "i16be": a type, and an order behind it; without one little-endian.
  SETTINGS_FAR void read_input(Settings *settings) {
    static const struct { const char *word; uint32_t length, order; } orders[] = {
        {"", 0, SLUICE_DCBA}, {"le", 2, SLUICE_DCBA}, {"be", 2, SLUICE_ABCD}, {"cdab", 4, SLUICE_CDAB}, {"badc", 4, SLUICE_BADC}};
    static const char types[] = "u16i16u32i32f32f64";
    sluice_text word = settings->text();
    for (uint32_t i = 0; i < 6 && word.length >= 3; i++) {
      if (!sluice_equals(sluice_view(word.at, 3), sluice_view(types + 3 * i, 3))) continue;
      for (auto &each : orders) {
        if (!sluice_equals(sluice_view(word.at + 3, word.length - 3), sluice_view(each.word, each.length))) continue;
        type = i;
        order = each.order;
        return;
      }
    }
    settings->refuse(SLUICE_TEXT("input is not u16, i16, u32, i32, f32 or f64, with be, le, cdab or badc behind it"));
  }

  SETTINGS_FAR Samples read(const sluice_block *block) const {
    if (block->format == SLUICE_F32) {
      Samples samples = samples_of(block);
      if (samples.rate == 0) samples.rate = rate;
      return samples;
    }
    uint32_t size = size_of_number(type);
    if (block->count < skip || (block->count - skip) % (size * channels) != 0) return no_samples(SLUICE_EINVAL);
    auto *from = static_cast<const unsigned char *>(block->data) + skip;
    uint32_t count = (block->count - skip) / size;
    auto *to = static_cast<float *>(sluice_allocate(count * 4, 16));
    if (sluice_kernel_decode(from, count, size, type, order, to) != SLUICE_KERNEL_OK) return no_samples(SLUICE_EINVAL);
    return {to, count / channels, channels, rate, SLUICE_EINVAL};
  }
};

// The answer of a kernel as that of a plugin. EFAULT would be a mistake of the plugin itself.
static inline sluice_block_result answer_of(int wrong, sluice_block block) {
  if (wrong == SLUICE_KERNEL_OK) return sluice_block_ok(block);
  return sluice_block_fault(wrong == SLUICE_KERNEL_EFAULT ? SLUICE_EINVAL : static_cast<sluice_errno>(wrong - 1));
}

// Room for `frames` frames of results, with the head of the block they come from.
static inline sluice_block results_like(const sluice_block *block, uint32_t frames, uint32_t channels, double rate, float **room) {
  sluice_block results = sluice_samples(block, frames * channels, room);
  results.channels = channels;
  results.rate = rate;
  return results;
}

#endif
