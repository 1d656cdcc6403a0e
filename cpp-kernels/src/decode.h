/*
 * decode: numbers in registers as floats.
 *
 * `bytes` holds `count` numbers, the first at its start, the next one `stride` bytes behind it: the size of the number where
 * they lie side by side, more where they are a column of records. Orders name the bytes of a 32-bit number as they come on
 * the wire, its highest byte is A: Modbus devices use all four. 16-bit numbers have only AB and BA, in 64-bit numbers whole
 * registers and the bytes in them are turned around in the same way. `bytes` may lie anywhere.
 *
 * Each result is the float next to the number, so u16, i16 and f32 are exact (a NaN of f32 keeps its bits), u32, i32 and f64
 * are off by at most u of it; a double too large for a float is infinity.
 *
 * EINVAL: no such type or order, or a stride of less than the number's size. EFAULT: sluice-kernels.h.
 *
 * Source: Modbus Application Protocol V1.1b3, 4.2 (highest byte first); the other orders as manuals of devices name them.
 */
#ifndef DECODE_H
#define DECODE_H
#include "lanes.h"
#include "spans.h"

enum sluice_number { SLUICE_U16, SLUICE_I16, SLUICE_U32, SLUICE_I32, SLUICE_FLOAT32, SLUICE_FLOAT64 };
enum sluice_order { SLUICE_ABCD, SLUICE_CDAB, SLUICE_BADC, SLUICE_DCBA };

static inline uint32_t size_of_number(uint32_t type) {
  return type <= SLUICE_I16 ? 2 : type <= SLUICE_FLOAT32 ? 4 : 8;
}

// Of a value that was read little-endian.
static inline uint16_t arranged(uint16_t v, bool swap_bytes, bool) { return swap_bytes ? static_cast<uint16_t>(v >> 8 | v << 8) : v; }
static inline uint32_t arranged(uint32_t v, bool swap_bytes, bool swap_words) {
  if (swap_bytes) v = __builtin_bswap32(v);
  return swap_words ? v >> 16 | v << 16 : v;
}
static inline uint64_t arranged(uint64_t v, bool swap_bytes, bool swap_words) {
  if (swap_bytes) v = __builtin_bswap64(v);
  if (!swap_words) return v;
  v = v >> 32 | v << 32;
  return (v >> 16 & 0x0000ffff0000ffffull) | (v & 0x0000ffff0000ffffull) << 16;
}

static inline float float_of(uint16_t bits, uint32_t type) {
  return type == SLUICE_I16 ? static_cast<float>(static_cast<int16_t>(bits)) : static_cast<float>(bits);
}
// Both halves are exact as floats, so their sum is rounded once.
static inline float float_of(uint32_t bits, uint32_t type) {
  if (type == SLUICE_U32) return static_cast<float>(bits >> 16) * 65536.0f + static_cast<float>(bits & 0xffff);
  if (type == SLUICE_I32) return static_cast<float>(static_cast<int32_t>(bits));
  return __builtin_bit_cast(float, bits);
}
static inline float float_of(uint64_t bits, uint32_t) {
  auto value = __builtin_bit_cast(double, bits);
  return value == value ? static_cast<float>(value) : __builtin_nanf("");
}

template <class Bits>
static inline void decode_each(const unsigned char *from, uint32_t count, uint32_t stride, uint32_t type, uint32_t order, float *out) {
  bool swap_bytes = order == SLUICE_ABCD || order == SLUICE_CDAB, swap_words = order == SLUICE_CDAB || order == SLUICE_BADC;
  for (uint32_t i = 0; i < count; i++) {
    Bits bits;
    __builtin_memcpy(&bits, from + static_cast<uint64_t>(i) * stride, sizeof bits);
    // Not by way of a float: that of a NaN might be another one.
    uint32_t result = __builtin_bit_cast(uint32_t, float_of(arranged(bits, swap_bytes, swap_words), type));
    if (type == SLUICE_FLOAT32) result = static_cast<uint32_t>(arranged(bits, swap_bytes, swap_words));
    __builtin_memcpy(out + i, &result, 4);
  }
}

#ifndef SLUICE_SCALAR
static inline f32x4 floats_of_u32(bytes16 a) {
  i32x4 words = as_words(a);
  return converted(upper_half(words)) * splat4(65536.0f) + converted(lower_half(words));
}

static inline f32x4 floats_of_f64(bytes16 low, bytes16 high) {
  f32x4 x = narrowed(as_doubles(low), as_doubles(high));
  return choose(is_same(x, x), x, splat4(__builtin_nanf("")));
}

// Numbers that lie side by side, sixteen at a time; returns how many it has done. Byte i of a number comes from byte i ^ x: that
// is known when this is compiled, as a shuffle by what only the caller knows is three instructions.
template <uint32_t type, int x> static inline uint32_t decode_sixteens(const unsigned char *from, uint32_t count, float *out) {
  bytes16 order = order_of<x>();
  auto at = [&](uint32_t i) { return x == 0 ? load16(from + 16 * i) : ordered(load16(from + 16 * i), order); };
  auto four = [&](uint32_t i) {
    if constexpr (type == SLUICE_U32) return floats_of_u32(at(i));
    else if constexpr (type == SLUICE_I32) return converted(as_words(at(i)));
    else if constexpr (type == SLUICE_FLOAT32) return as_floats(at(i));
    else return floats_of_f64(at(2 * i), at(2 * i + 1));
  };
  uint32_t size = size_of_number(type), done = count / 16 * 16;
  for (const float *end = out + done; out != end; from = held(from + 16 * size), out = held(out + 16)) {
    if constexpr (type == SLUICE_U16 || type == SLUICE_I16) {
      bytes16 a = at(0), b = at(1);
      store(out, converted(type == SLUICE_U16 ? unsigned_low(a) : signed_low(a)));
      store(out + 4, converted(type == SLUICE_U16 ? unsigned_high(a) : signed_high(a)));
      store(out + 8, converted(type == SLUICE_U16 ? unsigned_low(b) : signed_low(b)));
      store(out + 12, converted(type == SLUICE_U16 ? unsigned_high(b) : signed_high(b)));
    } else {
      f32x4 a = four(0), b = four(1), c = four(2), d = four(3);
      store(out, a);
      store(out + 4, b);
      store(out + 8, c);
      store(out + 12, d);
    }
  }
  return done;
}

template <uint32_t type> static inline uint32_t decode_lanes(const unsigned char *from, uint32_t count, uint32_t order, float *out) {
  constexpr int bytes = static_cast<int>(type <= SLUICE_I16 ? 1 : type <= SLUICE_FLOAT32 ? 3 : 7), words = bytes - 1;
  switch (order) {
    case SLUICE_ABCD: return decode_sixteens<type, bytes>(from, count, out);
    case SLUICE_CDAB: return decode_sixteens<type, bytes ^ words>(from, count, out);
    case SLUICE_BADC: return decode_sixteens<type, words>(from, count, out);
    default: return decode_sixteens<type, 0>(from, count, out);
  }
}

static inline uint32_t decode_lanes(const unsigned char *from, uint32_t count, uint32_t type, uint32_t order, float *out) {
  switch (type) {
    case SLUICE_U16: return decode_lanes<SLUICE_U16>(from, count, order, out);
    case SLUICE_I16: return decode_lanes<SLUICE_I16>(from, count, order, out);
    case SLUICE_U32: return decode_lanes<SLUICE_U32>(from, count, order, out);
    case SLUICE_I32: return decode_lanes<SLUICE_I32>(from, count, order, out);
    case SLUICE_FLOAT32: return decode_lanes<SLUICE_FLOAT32>(from, count, order, out);
    default: return decode_lanes<SLUICE_FLOAT64>(from, count, order, out);
  }
}
#endif

SLUICE_KERNEL_API int sluice_kernel_decode(const void *bytes, uint32_t count, uint32_t stride, uint32_t type, uint32_t order, float *out) {
  if (type > SLUICE_FLOAT64 || order > SLUICE_DCBA || stride < size_of_number(type)) return SLUICE_KERNEL_EINVAL;
  if (count == 0) return SLUICE_KERNEL_OK;
  uint32_t size = size_of_number(type);
  if (!are_sound({reads(bytes, static_cast<uint64_t>(count - 1) * stride + size, 1), writes(out, count)})) return SLUICE_KERNEL_EFAULT;
  auto *from = static_cast<const unsigned char *>(bytes);
#ifndef SLUICE_SCALAR
  if (stride == size) {
    uint32_t done = decode_lanes(from, count, type, order, out);
    from += done * size;
    out += done;
    count -= done;
  }
#endif
  if (size == 2) decode_each<uint16_t>(from, count, stride, type, order, out);
  else if (size == 4) decode_each<uint32_t>(from, count, stride, type, order, out);
  else decode_each<uint64_t>(from, count, stride, type, order, out);
  return SLUICE_KERNEL_OK;
}

#endif
