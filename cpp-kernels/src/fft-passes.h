// The passes of the FFT in fft.h: Stockham's order, which needs no bit reversal, in radix 4 on real and imaginary parts kept
// apart; so that in all passes but the first, four neighbours do the same and no lane has to be moved.
#ifndef FFT_PASSES_H
#define FFT_PASSES_H
#include "lanes.h"

// Four complex numbers.
struct c32x4 { f32x4 re, im; };
LANES c32x4 operator+(c32x4 a, c32x4 b) { return {a.re + b.re, a.im + b.im}; }
LANES c32x4 operator-(c32x4 a, c32x4 b) { return {a.re - b.re, a.im - b.im}; }
LANES c32x4 operator*(c32x4 a, c32x4 w) { return {a.re * w.re - a.im * w.im, a.re * w.im + a.im * w.re}; }
LANES c32x4 minus_i_times(c32x4 a, c32x4 b) { return {a.re + b.im, a.im - b.re}; }
LANES c32x4 plus_i_times(c32x4 a, c32x4 b) { return {a.re - b.im, a.im + b.re}; }

// Real parts and imaginary parts of the numbers of one pass.
struct Halves {
  float *re, *im;
  LANES_MEMBER c32x4 at(uint32_t i) const { return {load4(re + i), load4(im + i)}; }
  LANES_MEMBER void put(uint32_t i, c32x4 a) const { store(re + i, a.re); store(im + i, a.im); }
};

struct Four { c32x4 a, b, c, d; };

// A discrete Fourier transform of length four, in each lane.
LANES Four butterfly(c32x4 a, c32x4 b, c32x4 c, c32x4 d) {
  c32x4 even = a + c, odd = a - c, sum = b + d, off = b - d;
  return {even + sum, minus_i_times(odd, off), even - sum, plus_i_times(odd, off)};
}

// Real and imaginary part one after the other, from four pairs.
LANES c32x4 pairs_at(const float *in) {
  f32x4 low = load4(in), high = load4(in + 4);
  return {evens(low, high), odds(low, high)};
}

// Reads `count` pairs as they lie in the samples. Twiddles: for four places at a time w, w^2, w^3, each its four real and its four
// imaginary parts.
static inline const float *fft_first(const float *in, uint32_t count, const float *w, Halves to) {
  uint32_t quarter = count / 4;
  for (uint32_t p = 0; p < quarter; p += 4, w += 24) {
    Four f = butterfly(pairs_at(in + 2 * p), pairs_at(in + 2 * (p + quarter)), pairs_at(in + 2 * (p + 2 * quarter)), pairs_at(in + 2 * (p + 3 * quarter)));
    f.b = f.b * c32x4{load4(w), load4(w + 4)};
    f.c = f.c * c32x4{load4(w + 8), load4(w + 12)};
    f.d = f.d * c32x4{load4(w + 16), load4(w + 20)};
    transpose(f.a.re, f.b.re, f.c.re, f.d.re);
    transpose(f.a.im, f.b.im, f.c.im, f.d.im);
    to.put(4 * p, f.a);
    to.put(4 * p + 4, f.b);
    to.put(4 * p + 8, f.c);
    to.put(4 * p + 12, f.d);
  }
  return w;
}

// A pass over transforms of `length`, of which count / length lie side by side. Twiddles: for each place re, im of w, w^2, w^3.
static inline const float *fft_middle(Halves from, uint32_t count, uint32_t length, const float *w, Halves to) {
  uint32_t side = count / length, quarter = count / 4;
  for (uint32_t p = 0; p < length / 4; p++, w += 6) {
    c32x4 w1 = {splat4_at(w), splat4_at(w + 1)}, w2 = {splat4_at(w + 2), splat4_at(w + 3)}, w3 = {splat4_at(w + 4), splat4_at(w + 5)};
    uint32_t i = side * p, k = 4 * side * p;
    for (uint32_t end = i + side; i < end; i += 4, k += 4) {
      Four f = butterfly(from.at(i), from.at(i + quarter), from.at(i + 2 * quarter), from.at(i + 3 * quarter));
      to.put(k, f.a);
      to.put(k + side, f.b * w1);
      to.put(k + 2 * side, f.c * w2);
      to.put(k + 3 * side, f.d * w3);
    }
  }
  return w;
}

// The last pass has no twiddles: transforms of length four,
static inline void fft_last_four(Halves from, uint32_t count, Halves to) {
  uint32_t side = count / 4;
  for (uint32_t i = 0; i < side; i += 4) {
    Four f = butterfly(from.at(i), from.at(i + side), from.at(i + 2 * side), from.at(i + 3 * side));
    to.put(i, f.a);
    to.put(i + side, f.b);
    to.put(i + 2 * side, f.c);
    to.put(i + 3 * side, f.d);
  }
}

// or of length eight, where the whole is no power of four.
static inline void fft_last_eight(Halves from, uint32_t count, Halves to) {
  uint32_t side = count / 8;
  f32x4 half_root = splat4(0.70710678118654752440f);
  for (uint32_t i = 0; i < side; i += 4) {
    c32x4 a0 = from.at(i), a1 = from.at(i + side), a2 = from.at(i + 2 * side), a3 = from.at(i + 3 * side);
    c32x4 a4 = from.at(i + 4 * side), a5 = from.at(i + 5 * side), a6 = from.at(i + 6 * side), a7 = from.at(i + 7 * side);
    Four even = butterfly(a0 + a4, a1 + a5, a2 + a6, a3 + a7);
    to.put(i, even.a);
    to.put(i + 2 * side, even.b);
    to.put(i + 4 * side, even.c);
    to.put(i + 6 * side, even.d);
    c32x4 d0 = a0 - a4, d1 = a1 - a5, d2 = a2 - a6, d3 = a3 - a7;
    // d1 turned by an eighth, d3 by three; d2 by two in what follows.
    c32x4 e1 = {(d1.re + d1.im) * half_root, (d1.im - d1.re) * half_root};
    c32x4 e3 = {(d3.im - d3.re) * half_root, splat4(0) - (d3.re + d3.im) * half_root};
    c32x4 left = minus_i_times(d0, d2), right = plus_i_times(d0, d2), sum = e1 + e3, off = e1 - e3;
    to.put(i + side, left + sum);
    to.put(i + 3 * side, minus_i_times(right, off));
    to.put(i + 5 * side, left - sum);
    to.put(i + 7 * side, plus_i_times(right, off));
  }
}

// What the transform of pairs is of the samples one by one. `w` is exp(-2 pi i k / (2 count)), for four k at a time.
static inline void fft_split(Halves z, uint32_t count, const float *w, float *out) {
  float half = 0.5f, *re = z.re, *im = z.im;
  out[0] = re[0] + im[0];
  out[1] = 0;
  out[2 * count] = re[0] - im[0];
  out[2 * count + 1] = 0;
  out[count] = re[count / 2];
  out[count + 1] = 0 - im[count / 2];
  for (uint32_t k = 1; k < 4; k++) {
    uint32_t m = count - k;
    float even_re = (re[k] + re[m]) * half, even_im = (im[k] - im[m]) * half, odd_re = (im[k] + im[m]) * half, odd_im = (re[m] - re[k]) * half;
    float turned_re = odd_re * w[k] - odd_im * w[4 + k], turned_im = odd_re * w[4 + k] + odd_im * w[k];
    out[2 * k] = even_re + turned_re;
    out[2 * k + 1] = even_im + turned_im;
    out[2 * m] = even_re - turned_re;
    out[2 * m + 1] = turned_im - even_im;
  }
  f32x4 halves = splat4(half);
  for (uint32_t k = 4; k < count / 2; k += 4) {
    w += 8;
    uint32_t m = count - k - 3;
    f32x4 far_re = reversed(load4(re + m)), far_im = reversed(load4(im + m)), near_re = load4(re + k), near_im = load4(im + k);
    c32x4 even = {(near_re + far_re) * halves, (near_im - far_im) * halves};
    c32x4 odd = {(near_im + far_im) * halves, (far_re - near_re) * halves};
    c32x4 turned = odd * c32x4{load4(w), load4(w + 4)}, near = even + turned;
    store(out + 2 * k, zip_low(near.re, near.im));
    store(out + 2 * k + 4, zip_high(near.re, near.im));
    f32x4 mirrored_re = reversed(even.re - turned.re), mirrored_im = reversed(turned.im - even.im);
    store(out + 2 * m, zip_low(mirrored_re, mirrored_im));
    store(out + 2 * m + 4, zip_high(mirrored_re, mirrored_im));
  }
}

#endif
