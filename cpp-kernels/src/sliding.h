/*
 * sliding: least, most, mean and standard deviation (of the population) of the last `window` samples of each channel, at each
 * sample; while there are fewer, of those.
 *
 * `in` is frames of interleaved channels, each of the four outputs too; any of them may be null, one of them may be in. The work for
 * a sample does not depend on the window. Each result is put together from two parts that are only added to (this stretch of
 * `window` samples, and the rest of the one before; Chan's formula for the deviation), so errors do not pile up and a NaN
 * or an infinity is gone when it has left the window. Least and most are exact; the mean is off by at most u of it and
 * window * 2^-52 of the largest |x|, the deviation by 2^-23.9 of it and window * 2^-50 of the largest |x|. A NaN in the window
 * makes all four NaN; with an infinity the deviation is NaN, and the mean is infinite or NaN.
 *
 * _init: EINVAL: window is 0 or above 2^20, no channels, or more than 256. ENOMEM, EFAULT: sluice-kernels.h. Handed over: the
 * window.
 *
 * Source: Chan, Golub and LeVeque, Updating formulae and a pairwise algorithm for computing sample variances.
 */
#ifndef SLIDING_H
#define SLIDING_H
#include "pattern.h"

// What is known of some samples. `squares` is the sum of the squared distances from the mean.
struct Digest {
  double count, mean, squares;
  float least, most;
};

static inline Digest with_sample(const Digest &a, float x) {
  if (a.count == 0) return {1, x, x - x == 0 ? 0 : static_cast<double>(__builtin_nanf("")), x, x};
  double count = a.count + 1, off = x - a.mean, mean = a.mean + off / count;
  bool nan = x != x || a.least != a.least;
  return {count, mean, a.squares + off * (x - mean), nan ? __builtin_nanf("") : (x < a.least ? x : a.least),
          nan ? __builtin_nanf("") : (a.most < x ? x : a.most)};
}

static inline Digest joined(const Digest &a, const Digest &b) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  double count = a.count + b.count, off = b.mean - a.mean;
  bool nan = a.least != a.least || b.least != b.least;
  return {count, a.mean + off * (b.count / count), a.squares + b.squares + off * off * (a.count * b.count / count),
          nan ? __builtin_nanf("") : (b.least < a.least ? b.least : a.least), nan ? __builtin_nanf("") : (a.most < b.most ? b.most : a.most)};
}

struct SlidingParts {
  uint32_t place, digest, rest, samples, bytes;
  SlidingParts(uint32_t window, uint32_t channels) {
    Layout layout;
    // All of it is handed over. place: samples in this stretch.
    place = layout.list<uint32_t>(1);
    digest = layout.list<Digest>(channels);
    // rest[i]: of samples i to the end of the stretch before; a row more, of none.
    rest = layout.list<Digest>((static_cast<uint64_t>(window) + 1) * channels);
    samples = layout.list<float>(static_cast<uint64_t>(window) * channels);
    bytes = layout.bytes();
  }
};

static inline uint32_t sliding_bytes(uint32_t window, uint32_t channels) {
  return window > 0 && window <= SLUICE_KERNEL_WINDOW_MAX && are_channels(channels) ? SlidingParts(window, channels).bytes : 0;
}

static inline void sliding_reset(void *state, uint32_t kind, uint32_t window, uint32_t channels) {
  uint32_t bytes = sliding_bytes(window, channels);
  clear(state, bytes);
  uint32_t place = SlidingParts(window, channels).place;
  *static_cast<sluice_kernel_state *>(state) = {kind, bytes, channels, {window, 0, 0}, place, bytes - place};
}

// The windows of the channels of one stream, over a state block that has been checked.
class Sliding {
 public:
  Sliding(void *state, uint32_t window, uint32_t channels)
      : parts(window, channels), window(window), channels(channels), place(part_of<uint32_t>(state, parts.place)),
        digest(part_of<Digest>(state, parts.digest)), rest(part_of<Digest>(state, parts.rest)), samples(part_of<float>(state, parts.samples)) {}
  bool is_sound() const { return *place < window; }
  // Of the last `window` samples, if there were so many; before the next one comes, of window - 1.
  Digest of(uint32_t channel) const { return joined(rest[*place * channels + channel], digest[channel]); }
  Digest with(uint32_t channel, float x) {
    digest[channel] = with_sample(digest[channel], x);
    samples[*place * channels + channel] = x;
    return joined(rest[(*place + 1) * channels + channel], digest[channel]);
  }
  // Behind the last channel of a frame.
  void next() {
    if (++*place < window) return;
    for (uint32_t row = window; row-- > 0;) {
      for (uint32_t c = 0; c < channels; c++) rest[row * channels + c] = with_sample(rest[(row + 1) * channels + c], samples[row * channels + c]);
    }
    for (uint32_t c = 0; c < channels; c++) digest[c] = {};
    *place = 0;
  }

 private:
  SlidingParts parts;
  uint32_t window, channels;
  uint32_t *place;
  Digest *digest, *rest;
  float *samples;
};

SLUICE_KERNEL_API uint32_t sluice_kernel_sliding_bytes(uint32_t window, uint32_t channels) { return sliding_bytes(window, channels); }

SLUICE_KERNEL_API int sluice_kernel_sliding_init(void *state, uint32_t bytes, uint32_t window, uint32_t channels) {
  if (int wrong = check_room(state, bytes, sliding_bytes(window, channels))) return wrong;
  sliding_reset(state, kind_of("sli1"), window, channels);
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_sliding(void *state, const float *in, uint32_t frames, float *least, float *most, float *mean, float *deviation) {
  if (int wrong = check_state(state, kind_of("sli1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, window = head->shape[0];
  if (head->bytes != sliding_bytes(window, channels)) return SLUICE_KERNEL_EINVAL;
  uint64_t count = static_cast<uint64_t>(frames) * channels;
  auto wanted = [=](float *out) { return writes(out, out == nullptr ? 0 : count, in); };
  Span spans[] = {whole_state(state), reads(in, count), wanted(least), wanted(most), wanted(mean), wanted(deviation)};
  if (!are_sound(spans)) return SLUICE_KERNEL_EFAULT;
  Sliding windows(state, window, channels);
  if (!windows.is_sound()) return SLUICE_KERNEL_EINVAL;
  for (uint64_t i = 0; i < count; windows.next()) {
    for (uint32_t c = 0; c < channels; c++, i++) {
      Digest of = windows.with(c, in[i]);
      bool nan = of.least != of.least;
      double variance = of.squares / of.count;
      if (least != nullptr) least[i] = of.least;
      if (most != nullptr) most[i] = of.most;
      if (mean != nullptr) mean[i] = nan || of.mean != of.mean ? __builtin_nanf("") : static_cast<float>(of.mean);
      if (deviation != nullptr) deviation[i] = nan || variance != variance ? __builtin_nanf("") : static_cast<float>(__builtin_sqrt(variance));
    }
  }
  return SLUICE_KERNEL_OK;
}

#endif
