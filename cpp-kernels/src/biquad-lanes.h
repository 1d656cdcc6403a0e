// Second-order sections in four lanes of doubles: of one channel four sections, each one sample behind the one in front of it,
// so that none waits for another; of several channels the same section of four of them.
#ifndef BIQUAD_LANES_H
#define BIQUAD_LANES_H
#include "lanes.h"
#include "state.h"

#define SLUICE_KERNEL_SECTIONS_MAX 16u

struct Section4 {
  double b0[4], b1[4], b2[4], a1[4], a2[4];
};
struct Memory4 {
  double s1[4], s2[4];
};
// Which section and which memory, and which lane of both.
struct Place {
  uint32_t section, group, lane;
};

struct BiquadParts {
  static constexpr uint32_t CHUNK = 256;
  uint32_t groups;
  uint32_t sections, memory, saved, line, input, bytes;
  BiquadParts(uint32_t count, uint32_t channels) {
    groups = channels == 1 ? (count + 3) / 4 : (channels + 3) / 4 * count;
    Layout layout;
    sections = layout.list<Section4>(channels == 1 ? groups : count);
    memory = layout.list<Memory4>(groups);
    saved = layout.list<Memory4>(groups);
    line = layout.list<double>(channels == 1 ? CHUNK : CHUNK * 4);
    input = layout.list<float>(CHUNK * channels);
    bytes = layout.bytes();
  }
};

static inline void set_section(Section4 &to, uint32_t lane, const double *from) {
  to.b0[lane] = from[0];
  to.b1[lane] = from[1];
  to.b2[lane] = from[2];
  to.a1[lane] = from[3];
  to.a2[lane] = from[4];
}

struct f64x4 { f64x2 low, high; };
LANES f64x4 load_four(const double *at) { return {load2(at), load2(at + 2)}; }
LANES void store(double *at, f64x4 a) { store(at, a.low); store(at + 2, a.high); }
LANES f64x4 operator+(f64x4 a, f64x4 b) { return {a.low + b.low, a.high + b.high}; }
LANES f64x4 operator-(f64x4 a, f64x4 b) { return {a.low - b.low, a.high - b.high}; }
LANES f64x4 operator*(f64x4 a, f64x4 b) { return {a.low * b.low, a.high * b.high}; }

// One sample of one lane. The order of operations is that of Filter4, too.
static inline double step_lane(const Section4 &f, Memory4 &m, uint32_t lane, double x) {
  double y = f.b0[lane] * x + m.s1[lane];
  m.s1[lane] = (f.b1[lane] * x + m.s2[lane]) - f.a1[lane] * y;
  m.s2[lane] = f.b2[lane] * x - f.a2[lane] * y;
  return y;
}

struct Filter4 {
  f64x4 b0, b1, b2, a1, a2, s1, s2;
  Filter4(const Section4 &f, const Memory4 &m)
      : b0(load_four(f.b0)), b1(load_four(f.b1)), b2(load_four(f.b2)), a1(load_four(f.a1)), a2(load_four(f.a2)),
        s1(load_four(m.s1)), s2(load_four(m.s2)) {}
  LANES_MEMBER f64x4 step(f64x4 x) {
    f64x4 y = b0 * x + s1;
    s1 = (b1 * x + s2) - a1 * y;
    s2 = b2 * x - a2 * y;
    return y;
  }
  void save(Memory4 &m) const { store(m.s1, s1); store(m.s2, s2); }
};

// `line` holds four channels of each frame.
static inline void run_channels(const Section4 &section, Memory4 &memory, double *line, uint32_t count) {
  Filter4 filter(section, memory);
  for (uint32_t i = 0; i < count; i++) store(line + 4 * i, filter.step(load_four(line + 4 * i)));
  filter.save(memory);
}

// `some` channels of each frame, four at most, and zeros in place of those that are missing. What is read beyond them belongs to
// the next frame; the last ones have none.
static inline void gather_four(const float *in, uint32_t count, uint32_t channels, uint32_t some, double *line) {
  mask4 wanted = is_less(set4(0, 1, 2, 3), splat4(static_cast<float>(some)));
  uint32_t whole = count > 4 ? count - 4 : 0;
  for (uint32_t i = 0; i < whole; i++, in += channels) {
    f32x4 x = choose(wanted, load4(in), splat4(0));
    store(line + 4 * i, widened_low(x));
    store(line + 4 * i + 2, widened_high(x));
  }
  for (uint32_t i = whole; i < count; i++, in += channels) {
    for (uint32_t lane = 0; lane < 4; lane++) line[4 * i + lane] = lane < some ? in[lane] : 0;
  }
}

// At step t lane l works on sample t - l. In the first and last three steps some lanes have none: these go one by one.
static inline void run_sections(const Section4 &section, Memory4 &memory, double *line, uint32_t count) {
  double y[4] = {};
  auto edge = [&](uint32_t t) {
    for (uint32_t lane = 4; lane-- > 0;) {
      if (lane > t || t - lane >= count) continue;
      double x = lane == 0 ? line[t] : y[lane - 1];
      y[lane] = step_lane(section, memory, lane, x);
      if (lane == 3) line[t - 3] = y[3];
    }
  };
  uint32_t t = 0;
  for (; t < 3; t++) edge(t);
  if (t < count) {
    Filter4 filter(section, memory);
    f64x4 out = load_four(y);
    for (; t < count; t++) {
      out = filter.step({lows(splat2(line[t]), out.low), shifted(out.low, out.high)});
      line[t - 3] = second(out.high);
    }
    filter.save(memory);
    store(y, out);
  }
  for (; t < count + 3; t++) edge(t);
}

static inline void widen(const float *in, uint32_t count, double *line) {
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    f32x4 x = load4(in + i);
    store(line + i, widened_low(x));
    store(line + i + 2, widened_high(x));
  }
  for (; i < count; i++) line[i] = in[i];
}

// Without the sign of a zero, which would tell where a stream was cut into calls.
static inline float narrowed_once(double x) { return x == x ? static_cast<float>(x) + 0.0f : __builtin_nanf(""); }

// False if a number is not finite.
static inline bool narrow(const double *line, uint32_t count, float *out) {
  f64x2 sum = splat2(0);
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    f64x2 low = load2(line + i), high = load2(line + i + 2);
    sum = sum + ((low - low) + (high - high));
    store(out + i, narrowed(low, high) + splat4(0));
  }
  double rest = first(sum) + second(sum);
  for (; i < count; i++) {
    rest += line[i] - line[i];
    out[i] = narrowed_once(line[i]);
  }
  return rest == 0;
}

// The way back from gather_four. Fewer than four channels are written with those of the next frame, which are written then; where
// these belong to another group of channels, and at the end, one by one. False if a number is not finite.
static inline bool scatter_four(const double *line, uint32_t count, uint32_t channels, uint32_t some, float *out) {
  f64x2 sum = splat2(0);
  uint32_t whole = some == 4 ? count : channels > 4 || count < 4 ? 0 : count - 4;
  for (uint32_t i = 0; i < count; i++, out += channels) {
    f64x2 low = load2(line + 4 * i), high = load2(line + 4 * i + 2);
    sum = sum + ((low - low) + (high - high));
    // Without the sign of a zero, as in narrowed_once.
    f32x4 x = narrowed(low, high) + splat4(0);
    if (i < whole) {
      store(out, x);
      continue;
    }
    float four[4];
    store(four, x);
    for (uint32_t lane = 0; lane < some; lane++) out[lane] = four[lane];
  }
  return first(sum) + second(sum) == 0;
}

#endif
