/*
 * resample: another sample rate, `up` / `down` times the one that comes in, through a low-pass at the lower of both.
 *
 * The low-pass is a sinc of `zeros` zero crossings on each side under a Kaiser window (beta 8), in `up` phases of
 * sluice_kernel_resample_taps taps. A tone up to 1 - 5 / zeros of the lower rate's half comes through within 0.1 %, what the new
 * rate could not hold is 75 dB down. Everything comes taps / 2 samples of the input late. 44,100 to 48,000 is 160 / 147: the
 * fraction need not be reduced, but what it reduces to is at most 1,024 / 1,024.
 *
 * `in` holds `frames` frames of interleaved channels, `out` has room for `room` frames, apart from it; *written is how many
 * have come out. Sums are kept in float: off by at most (taps + 1) * u * sum of |tap * x|.
 *
 * _init: EINVAL: up, down or zeros (4 to 64) not within its bounds, no channels, or more than 256. ENOSPC: more than `room` frames
 * would come out (sluice_kernel_resample_room tells how many), nothing was taken. ENOMEM, EFAULT: sluice-kernels.h. Handed
 * over: the last taps - 1 frames, and the phase.
 *
 * Source: Crochiere and Rabiner, Multirate Digital Signal Processing; Kaiser's window from its power series.
 */
#ifndef RESAMPLE_H
#define RESAMPLE_H
#include "pattern.h"
#include "turn.h"

#define SLUICE_KERNEL_RATE_MAX 1024u

static inline uint32_t common_factor(uint32_t a, uint32_t b) {
  while (b != 0) {
    uint32_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

struct ResampleParts {
  static constexpr uint32_t CHUNK = 1024;
  uint32_t up, down, taps;
  uint32_t table, place, history, line, bytes;
  ResampleParts(uint32_t up_by, uint32_t down_by, uint32_t zeros, uint32_t channels) : up(0), down(0), taps(0), bytes(0) {
    if (up_by == 0 || down_by == 0 || zeros < 4 || zeros > 64 || !are_channels(channels)) return;
    uint32_t factor = common_factor(up_by, down_by);
    if (up_by / factor > SLUICE_KERNEL_RATE_MAX || down_by / factor > SLUICE_KERNEL_RATE_MAX) return;
    up = up_by / factor;
    down = down_by / factor;
    // Going down the sinc is as much wider as the rate is lower.
    uint32_t wide = down > up ? (2 * zeros * down + up - 1) / up : 2 * zeros;
    taps = (wide + 15) & ~15u;
    Layout layout;
    table = layout.list<float>(static_cast<uint64_t>(up) * taps);
    // Handed over from here on. place: of the next result, in 1 / up samples from the next frame that comes in.
    place = layout.list<uint32_t>(1);
    history = layout.list<float>(static_cast<uint64_t>(taps - 1) * channels);
    line = layout.list<float>(taps - 1 + CHUNK);
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_resample_bytes(uint32_t up, uint32_t down, uint32_t zeros, uint32_t channels) {
  return ResampleParts(up, down, zeros, channels).bytes;
}

/* 0: there is no such kernel. */
SLUICE_KERNEL_API uint32_t sluice_kernel_resample_taps(uint32_t up, uint32_t down, uint32_t zeros) {
  return ResampleParts(up, down, zeros, 1).taps;
}

// The modified Bessel function of order 0, by its power series.
static inline double bessel_0(double x) {
  double term = 1, sum = 1;
  for (uint32_t k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

SLUICE_KERNEL_API int sluice_kernel_resample_init(void *state, uint32_t bytes, uint32_t up, uint32_t down, uint32_t zeros, uint32_t channels) {
  ResampleParts parts(up, down, zeros, channels);
  if (int wrong = check_room(state, bytes, parts.bytes)) return wrong;
  clear(state, parts.bytes);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("res1"), parts.bytes, channels, {parts.up, parts.down, zeros}, parts.place,
                                                parts.line - parts.place};
  uint32_t length = parts.up * parts.taps;
  double lower = parts.up < parts.down ? static_cast<double>(parts.up) / parts.down : 1;
  // Half of the transition band (Kaiser's rule, 80 dB) below the lower rate's half; in cycles a sample of the input.
  double cutoff = lower * (0.5 - 0.5 * 72.05 / (2.285 * 2 * 3.14159265358979323846 * 2 * zeros));
  auto *table = part_of<float>(state, parts.table);
  for (uint32_t phase = 0; phase < parts.up; phase++) {
    float *row = table + static_cast<uint64_t>(phase) * parts.taps;
    double sum = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
      // Twice, so that the taps of each phase sum to one and a constant comes out as it went in.
      for (uint32_t k = 0; k < parts.taps; k++) {
        // The last tap of a row meets the newest sample.
        double at = (static_cast<double>(parts.taps - 1 - k) * parts.up + phase - length / 2.0) / parts.up;
        double x = 2 * cutoff * at, edge = 2 * at / parts.taps;
        double sinc = x == 0 ? 1 : turn_of(x / 2).sin / (3.14159265358979323846 * x);
        double window = edge * edge < 1 ? bessel_0(8 * __builtin_sqrt(1 - edge * edge)) : 1;
        if (pass == 0) sum += sinc * window;
        else row[k] = static_cast<float>(sinc * window / sum);
      }
    }
  }
  return SLUICE_KERNEL_OK;
}

// Of `place` on, how many results lie in front of the end of `frames` frames?
static inline uint64_t results_until(uint64_t frames, uint32_t place, const ResampleParts &parts) {
  uint64_t end = frames * parts.up;
  return end > place ? (end - place + parts.down - 1) / parts.down : 0;
}

static inline int open_resample(void *state, ResampleParts *parts) {
  if (int wrong = check_state(state, kind_of("res1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  *parts = ResampleParts(head->shape[0], head->shape[1], head->shape[2], head->channels);
  if (parts->bytes != head->bytes || *part_of<uint32_t>(state, parts->place) >= parts->down) return SLUICE_KERNEL_EINVAL;
  return SLUICE_KERNEL_OK;
}

/* *room: how many frames `frames` more will give. EINVAL: no state of this kernel, or more than 2^32 - 1. */
SLUICE_KERNEL_API int sluice_kernel_resample_room(void *state, uint32_t frames, uint32_t *room) {
  ResampleParts parts(0, 0, 0, 0);
  if (int wrong = open_resample(state, &parts)) return wrong;
  if (!are_sound({whole_state(state), writes(room)})) return SLUICE_KERNEL_EFAULT;
  uint64_t results = results_until(frames, *part_of<uint32_t>(state, parts.place), parts);
  if (results > UINT32_MAX) return SLUICE_KERNEL_EINVAL;
  *room = static_cast<uint32_t>(results);
  return SLUICE_KERNEL_OK;
}

static inline float dot(const float *a, const float *b, uint32_t count) {
  f32x4 s = splat4(0), t = s, u = s, v = s;
  for (uint32_t i = 0; i < count; i += 16) {
    s = s + load4(a + i) * load4(b + i);
    t = t + load4(a + i + 4) * load4(b + i + 4);
    u = u + load4(a + i + 8) * load4(b + i + 8);
    v = v + load4(a + i + 12) * load4(b + i + 12);
  }
  f32x4 sum = (s + t) + (u + v);
  f32x4 pairs = sum + highs(sum, sum);
  float x = first(pairs) + first(odds(pairs, pairs));
  return x == x ? x : __builtin_nanf("");
}

SLUICE_KERNEL_API int sluice_kernel_resample(void *state, const float *in, uint32_t frames, float *out, uint32_t room, uint32_t *written) {
  ResampleParts parts(0, 0, 0, 0);
  if (int wrong = open_resample(state, &parts)) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, history = parts.taps - 1;
  auto *place = part_of<uint32_t>(state, parts.place);
  uint64_t results = results_until(frames, *place, parts);
  if (results > room) return SLUICE_KERNEL_ENOSPC;
  Span spans[] = {whole_state(state), reads(in, static_cast<uint64_t>(frames) * channels), writes(out, results * channels), writes(written)};
  if (!are_sound(spans)) return SLUICE_KERNEL_EFAULT;
  auto *table = part_of<float>(state, parts.table), *kept = part_of<float>(state, parts.history), *line = part_of<float>(state, parts.line);
  for (uint32_t some; frames > 0; frames -= some, in += some * channels) {
    some = frames < ResampleParts::CHUNK ? frames : ResampleParts::CHUNK;
    auto count = static_cast<uint32_t>(results_until(some, *place, parts));
    for (uint32_t c = 0; c < channels; c++) {
      float *past = kept + c * history;
      __builtin_memcpy(line, past, history * 4);
      for (uint32_t i = 0; i < some; i++) line[history + i] = in[i * channels + c];
      for (uint32_t i = 0, at = *place; i < count; i++, at += parts.down) {
        out[i * channels + c] = dot(table + at % parts.up * parts.taps, line + at / parts.up, parts.taps);
      }
      __builtin_memcpy(past, line + some, history * 4);
    }
    *place = *place + count * parts.down - some * parts.up;
    out += count * channels;
  }
  *written = static_cast<uint32_t>(results);
  return SLUICE_KERNEL_OK;
}

#endif
