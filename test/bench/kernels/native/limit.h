// The distance to the limit: what eight lanes, fused multiply-add and the CRC instruction of an x86 processor make of the same
// work, written for it alone. Orders of additions differ from the kernels', so results agree only within rounding.
#ifndef LIMIT_H
#define LIMIT_H
#include <immintrin.h>

// `line` begins with count - 1 samples of history; taps, line and out as in fir.h, one channel.
static int limit_fir(const float *taps, uint32_t count, const float *line, uint32_t results, float *out) {
  const float *x = line + (count - 1);
  for (uint32_t i = 0; i + 64 <= results; i += 64) {
    __m256 sums[8];
    for (auto &sum : sums) sum = _mm256_setzero_ps();
    for (uint32_t k = 0; k < count; k++) {
      __m256 tap = _mm256_broadcast_ss(taps + k);
      const float *from = x + i - k;
      for (int j = 0; j < 8; j++) sums[j] = _mm256_fmadd_ps(tap, _mm256_loadu_ps(from + 8 * j), sums[j]);
    }
    for (int j = 0; j < 8; j++) _mm256_storeu_ps(out + i + 8 * j, sums[j]);
  }
  return 0;
}

static inline double sum4(__m256d a) {
  double s[4];
  _mm256_storeu_pd(s, a);
  return (s[0] + s[1]) + (s[2] + s[3]);
}

static int limit_rms(const float *samples, uint32_t count, float *out) {
  __m256d sums[4];
  for (auto &sum : sums) sum = _mm256_setzero_pd();
  for (uint32_t i = 0; i + 16 <= count; i += 16) {
    for (int j = 0; j < 4; j++) {
      __m256d x = _mm256_cvtps_pd(_mm_loadu_ps(samples + i + 4 * j));
      sums[j] = _mm256_fmadd_pd(x, x, sums[j]);
    }
  }
  *out = static_cast<float>(__builtin_sqrt(sum4((sums[0] + sums[1]) + (sums[2] + sums[3])) / count));
  return 0;
}

// Four sections, one channel: lane l is a sample behind lane l - 1, as in biquad-lanes.h. `sections` is 5 x 4 doubles, b0 of all
// four first; the first and last three samples are left out.
static int limit_biquad(const double *sections, const float *in, uint32_t count, float *out) {
  __m256d b0 = _mm256_loadu_pd(sections), b1 = _mm256_loadu_pd(sections + 4), b2 = _mm256_loadu_pd(sections + 8);
  __m256d a1 = _mm256_loadu_pd(sections + 12), a2 = _mm256_loadu_pd(sections + 16);
  __m256d s1 = _mm256_setzero_pd(), s2 = s1, y = s1;
  for (uint32_t i = 0; i < count; i++) {
    __m256d turned = _mm256_permute4x64_pd(y, 0x93);
    __m256d x = _mm256_blend_pd(turned, _mm256_set1_pd(static_cast<double>(in[i])), 1);
    y = _mm256_fmadd_pd(b0, x, s1);
    s1 = _mm256_fnmadd_pd(a1, y, _mm256_fmadd_pd(b1, x, s2));
    s2 = _mm256_fnmadd_pd(a2, y, _mm256_mul_pd(b2, x));
    out[i] = static_cast<float>(_mm256_cvtsd_f64(_mm256_permute4x64_pd(y, 3)));
  }
  return 0;
}

// Sixteen recursions a tone, over every sixteenth sample; `turns` are 2 cos(16 w). They are not put together: that is the same for
// all.
static int limit_goertzel(const float *samples, uint32_t count, const double *turns, uint32_t tones, float *out) {
  for (uint32_t tone = 0; tone < tones; tone++) {
    __m256d turn = _mm256_broadcast_sd(turns + tone), s1[4], s2[4];
    for (int j = 0; j < 4; j++) s1[j] = s2[j] = _mm256_setzero_pd();
    for (uint32_t i = 0; i + 16 <= count; i += 16) {
      for (int j = 0; j < 4; j++) {
        __m256d x = _mm256_cvtps_pd(_mm_loadu_ps(samples + i + 4 * j));
        __m256d next = _mm256_fmadd_pd(turn, s1[j], _mm256_sub_pd(x, s2[j]));
        s2[j] = s1[j];
        s1[j] = next;
      }
    }
    out[tone] = static_cast<float>(sum4((s1[0] - s2[0]) + (s1[1] - s2[1]) + (s1[2] - s2[2]) + (s1[3] - s2[3])));
  }
  return 0;
}

// 16-bit numbers with the sign, high byte first.
static int limit_decode(const void *bytes, uint32_t count, float *out) {
  auto *from = static_cast<const char *>(bytes);
  __m128i order = _mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  for (uint32_t i = 0; i + 16 <= count; i += 16) {
    __m128i a = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from + 2 * i)), order);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from + 2 * i + 16)), order);
    _mm256_storeu_ps(out + i, _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(a)));
    _mm256_storeu_ps(out + i + 8, _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(b)));
  }
  return 0;
}

// One chain of the instruction, as a program without tables of carry-less products does it.
static int limit_crc32c(const void *bytes, uint32_t count, uint32_t *crc) {
  auto *from = static_cast<const char *>(bytes);
  uint64_t sum = static_cast<uint32_t>(~*crc);
  uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t eight;
    __builtin_memcpy(&eight, from + i, 8);
    sum = _mm_crc32_u64(sum, eight);
  }
  auto rest = static_cast<uint32_t>(sum);
  for (; i < count; i++) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(from[i]));
  *crc = ~rest;
  return 0;
}

#endif
