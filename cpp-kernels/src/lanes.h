// Four floats or two doubles at a time, from one source for three machines: the vectors of WebAssembly, plain numbers
// (SLUICE_SCALAR), and SSE4.1 for the benchmark against native code. Each operation rounds once, as IEEE 754 says, and
// nothing is fused, so a kernel gives the same bits on all three.
#ifndef LANES_H
#define LANES_H
#include <stdint.h>

#define LANES_MEMBER inline __attribute__((always_inline))
#define LANES static LANES_MEMBER __attribute__((unused))

// A pointer of which the compiler is to know nothing else: addresses of a loop then are this one and a constant, which costs
// nothing in WebAssembly; it would make each of them anew from what it knows.
template <class T> LANES T *held(T *at) {
  asm("" : "+r"(at));
  return at;
}

#if defined(SLUICE_SCALAR)
#include "lanes-scalar.h"
#elif defined(__wasm_simd128__)
#include "lanes-wasm.h"
#elif defined(__SSE4_1__)
#include "lanes-sse.h"
#else
#error "no vectors here: compile with -msimd128 or -msse4.2, or define SLUICE_SCALAR"
#endif

LANES f32x4 evens(f32x4 a, f32x4 b) { return picked<0, 2, 0, 2>(a, b); }
LANES f32x4 odds(f32x4 a, f32x4 b) { return picked<1, 3, 1, 3>(a, b); }
LANES f32x4 lows(f32x4 a, f32x4 b) { return picked<0, 1, 0, 1>(a, b); }
LANES f32x4 highs(f32x4 a, f32x4 b) { return picked<2, 3, 2, 3>(a, b); }
LANES f32x4 reversed(f32x4 a) { return picked<3, 2, 1, 0>(a, a); }

// Four rows of four become four columns.
LANES void transpose(f32x4 &a, f32x4 &b, f32x4 &c, f32x4 &d) {
  f32x4 ab = zip_low(a, b), cd = zip_low(c, d), ab_high = zip_high(a, b), cd_high = zip_high(c, d);
  a = lows(ab, cd);
  b = highs(ab, cd);
  c = lows(ab_high, cd_high);
  d = highs(ab_high, cd_high);
}

#endif
