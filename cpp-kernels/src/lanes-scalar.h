// lanes.h one number after the other: the same operations in the same order, for machines without vectors.
#ifndef LANES_SCALAR_H
#define LANES_SCALAR_H

struct f32x4 { float a, b, c, d; };
struct f64x2 { double a, b; };
struct i32x4 { int32_t a, b, c, d; };
struct mask4 { bool a, b, c, d; };
struct mask2 { bool a, b; };
struct bytes16 { uint8_t v[16]; };

template <class T> LANES T read(const void *at) {
  T value;
  __builtin_memcpy(&value, at, sizeof value);
  return value;
}

LANES f32x4 load4(const float *at) { return read<f32x4>(at); }
LANES f32x4 splat4(float x) { return {x, x, x, x}; }
LANES f32x4 splat4_at(const float *at) { return splat4(read<float>(at)); }
LANES f32x4 set4(float a, float b, float c, float d) { return {a, b, c, d}; }
LANES void store(float *at, f32x4 a) { __builtin_memcpy(at, &a, sizeof a); }
LANES f32x4 operator+(f32x4 x, f32x4 y) { return {x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d}; }
LANES f32x4 operator-(f32x4 x, f32x4 y) { return {x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d}; }
LANES f32x4 operator*(f32x4 x, f32x4 y) { return {x.a * y.a, x.b * y.b, x.c * y.c, x.d * y.d}; }
LANES float lesser(float x, float y) { return y < x ? y : x; }
LANES float greater(float x, float y) { return x < y ? y : x; }
LANES f32x4 lesser(f32x4 x, f32x4 y) { return {lesser(x.a, y.a), lesser(x.b, y.b), lesser(x.c, y.c), lesser(x.d, y.d)}; }
LANES f32x4 greater(f32x4 x, f32x4 y) { return {greater(x.a, y.a), greater(x.b, y.b), greater(x.c, y.c), greater(x.d, y.d)}; }
LANES f32x4 magnitude_of(f32x4 x) { return {__builtin_fabsf(x.a), __builtin_fabsf(x.b), __builtin_fabsf(x.c), __builtin_fabsf(x.d)}; }
LANES f32x4 root(f32x4 x) { return {__builtin_sqrtf(x.a), __builtin_sqrtf(x.b), __builtin_sqrtf(x.c), __builtin_sqrtf(x.d)}; }
LANES mask4 is_less(f32x4 x, f32x4 y) { return {x.a < y.a, x.b < y.b, x.c < y.c, x.d < y.d}; }
LANES mask4 is_within(f32x4 x, f32x4 y) { return {x.a <= y.a, x.b <= y.b, x.c <= y.c, x.d <= y.d}; }
LANES mask4 is_same(f32x4 x, f32x4 y) { return {x.a == y.a, x.b == y.b, x.c == y.c, x.d == y.d}; }
LANES mask4 operator&(mask4 x, mask4 y) { return {x.a && y.a, x.b && y.b, x.c && y.c, x.d && y.d}; }
LANES bool all(mask4 m) { return m.a && m.b && m.c && m.d; }
LANES f32x4 choose(mask4 m, f32x4 x, f32x4 y) { return {m.a ? x.a : y.a, m.b ? x.b : y.b, m.c ? x.c : y.c, m.d ? x.d : y.d}; }
LANES f32x4 zip_low(f32x4 x, f32x4 y) { return {x.a, y.a, x.b, y.b}; }
LANES f32x4 zip_high(f32x4 x, f32x4 y) { return {x.c, y.c, x.d, y.d}; }
template <int i> LANES float lane_of(f32x4 x) { return i == 0 ? x.a : i == 1 ? x.b : i == 2 ? x.c : x.d; }
template <int i, int j, int k, int l> LANES f32x4 picked(f32x4 x, f32x4 y) { return {lane_of<i>(x), lane_of<j>(x), lane_of<k>(y), lane_of<l>(y)}; }
LANES float first(f32x4 x) { return x.a; }

LANES f64x2 load2(const double *at) { return read<f64x2>(at); }
LANES f64x2 splat2(double x) { return {x, x}; }
LANES f64x2 set2(double a, double b) { return {a, b}; }
LANES void store(double *at, f64x2 a) { __builtin_memcpy(at, &a, sizeof a); }
LANES f64x2 operator+(f64x2 x, f64x2 y) { return {x.a + y.a, x.b + y.b}; }
LANES f64x2 operator-(f64x2 x, f64x2 y) { return {x.a - y.a, x.b - y.b}; }
LANES f64x2 operator*(f64x2 x, f64x2 y) { return {x.a * y.a, x.b * y.b}; }
LANES f64x2 operator/(f64x2 x, f64x2 y) { return {x.a / y.a, x.b / y.b}; }
LANES f64x2 root(f64x2 x) { return {__builtin_sqrt(x.a), __builtin_sqrt(x.b)}; }
LANES f64x2 greater(f64x2 x, f64x2 y) { return {x.a < y.a ? y.a : x.a, x.b < y.b ? y.b : x.b}; }
LANES mask2 is_less(f64x2 x, f64x2 y) { return {x.a < y.a, x.b < y.b}; }
LANES mask2 is_same(f64x2 x, f64x2 y) { return {x.a == y.a, x.b == y.b}; }
LANES f64x2 choose(mask2 m, f64x2 x, f64x2 y) { return {m.a ? x.a : y.a, m.b ? x.b : y.b}; }
LANES f64x2 widened_low(f32x4 x) { return {x.a, x.b}; }
LANES f64x2 widened_high(f32x4 x) { return {x.c, x.d}; }
LANES f32x4 narrowed(f64x2 x, f64x2 y) {
  return {static_cast<float>(x.a), static_cast<float>(x.b), static_cast<float>(y.a), static_cast<float>(y.b)};
}
LANES f64x2 shifted(f64x2 x, f64x2 y) { return {x.b, y.a}; }
LANES f64x2 lows(f64x2 x, f64x2 y) { return {x.a, y.a}; }
LANES double first(f64x2 x) { return x.a; }
LANES double second(f64x2 x) { return x.b; }

LANES bytes16 load16(const void *at) { return read<bytes16>(at); }
template <class T> LANES i32x4 halves(const uint8_t *v) {
  return {read<T>(v), read<T>(v + 2), read<T>(v + 4), read<T>(v + 6)};
}
LANES i32x4 unsigned_low(bytes16 x) { return halves<uint16_t>(x.v); }
LANES i32x4 unsigned_high(bytes16 x) { return halves<uint16_t>(x.v + 8); }
LANES i32x4 signed_low(bytes16 x) { return halves<int16_t>(x.v); }
LANES i32x4 signed_high(bytes16 x) { return halves<int16_t>(x.v + 8); }
LANES i32x4 as_words(bytes16 x) { return read<i32x4>(x.v); }
LANES f32x4 as_floats(bytes16 x) { return read<f32x4>(x.v); }
LANES f64x2 as_doubles(bytes16 x) { return read<f64x2>(x.v); }
LANES int32_t upper_half(int32_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x) >> 16); }
LANES i32x4 upper_half(i32x4 x) { return {upper_half(x.a), upper_half(x.b), upper_half(x.c), upper_half(x.d)}; }
LANES i32x4 lower_half(i32x4 x) { return {x.a & 0xffff, x.b & 0xffff, x.c & 0xffff, x.d & 0xffff}; }
LANES f32x4 converted(i32x4 x) {
  return {static_cast<float>(x.a), static_cast<float>(x.b), static_cast<float>(x.c), static_cast<float>(x.d)};
}

#endif
