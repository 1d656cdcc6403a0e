/*
 * fft: the discrete Fourier transform of `count` real samples, X[k] = sum of x[n] * exp(-2 pi i k n / count), a power of two from 4 to
 * 65,536.
 *
 * `in` holds count samples, `out` takes count / 2 + 1 pairs (real and imaginary part of X[0] to X[count / 2]), count + 2 floats, apart
 * from it. Nothing is divided: a sine of amplitude 1 in the middle of bin k gives |X[k]| = count / 2.
 *
 * Error, as root of the sum of squares over all bins: at most u * log2(count) of that of the result; so in a single bin at most
 * u * log2(count) * sqrt(count * sum of x^2). Sums of |x| have to stay below 2^127. A NaN or an infinity is in every bin: one of
 * its parts or both are NaN (of any sign) or infinite.
 *
 * The state block is the plan (twiddles) and the room for the passes; nothing in it is worth handing over. _init: EINVAL: count is no
 * power of two, or not within its bounds. ENOMEM, EFAULT: sluice-kernels.h.
 *
 * Source: Cooley and Tukey; Stockham's order after Van Loan, Computational Frameworks for the Fast Fourier Transform, 1.7.
 */
#ifndef FFT_H
#define FFT_H
#include "fft-passes.h"
#include "state.h"
#include "turn.h"

#define SLUICE_KERNEL_FFT_MAX 65536u
// Below this, the sum as it is written.
#define SLUICE_FFT_SMALL 32u
// Floats between the parts of the room: at powers of two from each other they would all want the same few lines of the cache.
#define SLUICE_FFT_APART 48u

struct FftParts {
  uint32_t twiddles, room, bytes;
  explicit FftParts(uint32_t count) {
    Layout layout;
    if (count < SLUICE_FFT_SMALL) {
      twiddles = layout.list<double>(2 * count);
      room = layout.list<float>(count + 2);
    } else {
      uint32_t floats = count / 2;
      for (uint32_t length = count / 2; length > 8; length /= 4) floats += 6 * (length / 4);
      twiddles = layout.list<float>(floats);
      room = layout.list<float>(2 * count + 3 * SLUICE_FFT_APART);
    }
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_fft_bytes(uint32_t count) {
  return count < 4 || count > SLUICE_KERNEL_FFT_MAX || (count & (count - 1)) != 0 ? 0 : FftParts(count).bytes;
}

// In the order in which the passes read them.
static inline void fill_twiddles(float *w, uint32_t count) {
  uint32_t length = count / 2;
  auto put = [&](uint32_t of, uint32_t place, float *re, float *im) {
    Turn turn = turn_of(-static_cast<double>(place) / of);
    *re = static_cast<float>(turn.cos);
    *im = static_cast<float>(turn.sin);
  };
  for (uint32_t p = 0; p < length / 4; p++) {
    for (uint32_t power = 1; power <= 3; power++) {
      float *at = w + p / 4 * 24 + (power - 1) * 8 + p % 4;
      put(length, power * p, at, at + 4);
    }
  }
  w += 6 * (length / 4);
  for (length /= 4; length > 8; length /= 4) {
    for (uint32_t p = 0; p < length / 4; p++) {
      for (uint32_t power = 1; power <= 3; power++, w += 2) put(length, power * p, w, w + 1);
    }
  }
  for (uint32_t k = 0; k < count / 4; k++) put(count, k, w + k / 4 * 8 + k % 4, w + k / 4 * 8 + k % 4 + 4);
}

SLUICE_KERNEL_API int sluice_kernel_fft_init(void *state, uint32_t bytes, uint32_t count) {
  uint32_t needed = sluice_kernel_fft_bytes(count);
  if (int wrong = check_room(state, bytes, needed)) return wrong;
  FftParts parts(count);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("fft1"), needed, 1, {count, 0, 0}, 0, 0};
  if (count >= SLUICE_FFT_SMALL) {
    fill_twiddles(part_of<float>(state, parts.twiddles), count);
    return SLUICE_KERNEL_OK;
  }
  auto *w = part_of<double>(state, parts.twiddles);
  for (uint32_t i = 0; i < count; i++) {
    Turn turn = turn_of(-static_cast<double>(i) / count);
    w[2 * i] = turn.cos;
    w[2 * i + 1] = turn.sin;
  }
  return SLUICE_KERNEL_OK;
}

static inline void small_fft(const double *w, const float *in, uint32_t count, float *out) {
  for (uint32_t k = 0; k <= count / 2; k++) {
    double re = 0, im = 0;
    for (uint32_t n = 0; n < count; n++) {
      re += in[n] * w[2 * (k * n % count)];
      im += in[n] * w[2 * (k * n % count) + 1];
    }
    out[2 * k] = static_cast<float>(re);
    out[2 * k + 1] = static_cast<float>(im);
  }
}

// Of a plan that has been checked.
static inline void fft_of(void *state, uint32_t count, const float *in, float *out) {
  FftParts parts(count);
  if (count < SLUICE_FFT_SMALL) return small_fft(part_of<double>(state, parts.twiddles), in, count, out);
  uint32_t pairs = count / 2;
  auto *room = part_of<float>(state, parts.room);
  uint32_t apart = pairs + SLUICE_FFT_APART;
  Halves from = {room, room + apart}, to = {room + 2 * apart, room + 3 * apart};
  const float *w = fft_first(in, pairs, part_of<float>(state, parts.twiddles), from);
  uint32_t length = pairs / 4;
  for (; length > 8; length /= 4) {
    w = fft_middle(from, pairs, length, w, to);
    Halves filled = to;
    to = from;
    from = filled;
  }
  if (length == 8) fft_last_eight(from, pairs, to);
  else fft_last_four(from, pairs, to);
  fft_split(to, pairs, w, out);
}

SLUICE_KERNEL_API int sluice_kernel_fft(void *state, const float *in, float *out) {
  if (int wrong = check_state(state, kind_of("fft1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t count = head->shape[0];
  if (head->bytes != sluice_kernel_fft_bytes(count)) return SLUICE_KERNEL_EINVAL;
  if (!are_sound({whole_state(state), reads(in, count), writes(out, count + 2)})) return SLUICE_KERNEL_EFAULT;
  fft_of(state, count, in, out);
  return SLUICE_KERNEL_OK;
}

#endif
