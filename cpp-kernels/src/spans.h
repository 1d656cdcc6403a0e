// Where buffers of a caller lie: looked at before anything is read or written, as a trap or a byte of somebody else's is
// not an answer.
#ifndef SPANS_H
#define SPANS_H
#include "sluice-kernels.h"

struct Span {
  const void *at;
  uint64_t bytes;
  uint32_t align;
  bool is_written;
  // An input that this output may be, from its start on.
  const void *over;
};

static inline Span reads(const void *at, uint64_t bytes, uint32_t align) { return {at, bytes, align, false, nullptr}; }
static inline Span reads(const float *at, uint64_t count) { return {at, count * 4, 4, false, nullptr}; }
static inline Span reads(const double *at, uint64_t count) { return {at, count * 8, 8, false, nullptr}; }
static inline Span writes(void *at, uint64_t bytes, uint32_t align) { return {at, bytes, align, true, nullptr}; }
static inline Span writes(float *at, uint64_t count, const float *over = nullptr) { return {at, count * 4, 4, true, over}; }
static inline Span writes(double *at, uint64_t count) { return {at, count * 8, 8, true, nullptr}; }
static inline Span writes(uint32_t *at) { return {at, 4, 4, true, nullptr}; }

// A buffer of no bytes may lie anywhere: nothing of it is touched.
static inline bool is_reachable(const void *at, uint64_t bytes, uint32_t align) {
  auto address = reinterpret_cast<uintptr_t>(at);
  if (bytes == 0) return true;
  if (address == 0 || address % align != 0) return false;
#ifdef __wasm__
  return address + bytes <= static_cast<uint64_t>(__builtin_wasm_memory_size(0)) << 16;
#else
  return address + bytes > address;
#endif
}

static inline bool may_both_be(const Span &one, const Span &other) {
  auto a = reinterpret_cast<uintptr_t>(one.at), b = reinterpret_cast<uintptr_t>(other.at);
  if (!one.is_written && !other.is_written) return true;
  if (one.bytes == 0 || other.bytes == 0 || a + one.bytes <= b || b + other.bytes <= a) return true;
  return a == b && ((one.is_written && !other.is_written && one.over == other.at) || (other.is_written && !one.is_written && other.over == one.at));
}

// All are within the memory and aligned, and none that is written lies over another one.
__attribute__((noinline)) static bool are_sound(const Span *spans, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (!is_reachable(spans[i].at, spans[i].bytes, spans[i].align)) return false;
    for (uint32_t j = 0; j < i; j++) {
      if (!may_both_be(spans[i], spans[j])) return false;
    }
  }
  return true;
}

template <uint32_t count> static inline bool are_sound(const Span (&spans)[count]) { return are_sound(spans, count); }

static inline bool is_finite(double x) { return x - x == 0; }

static inline bool are_finite(const float *list, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (!is_finite(list[i])) return false;
  }
  return true;
}

#endif
