// Each echoes every frame (topic, payload, properties), but does what its name says when the payload begins with 0xEE:
// good frames and bad ones can be mixed in one batch. Those for Modbus look at byte 9: in a reply that is the first one
// of the first register.
#include "number-in.h"
#include "verbs.h"

enum class Poison {
  none, trap, spin, memory_fill, recurse, log_flood, memory_hog, bad_pointer, bad_length, outside_arena, invalid_utf8,
  wildcard_topic, grow, big_output, slow, spin_at_configure, vector, flaky, zero_output,
};

[[maybe_unused]] static uint32_t slow_for;

[[maybe_unused]] static void spin() {
  for (volatile uint32_t i = 0;; i = i + 1) {}
}

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
// Does nothing but use instructions on float vectors, and one on integers.
static volatile float mixed[4];
__attribute__((noinline)) static void mix() {
  float *at = const_cast<float *>(mixed);
  v128_t a = wasm_v128_load(at);
  wasm_v128_store(at, wasm_f32x4_add(wasm_f32x4_mul(a, a), wasm_i32x4_add(a, a)));
}
#else
[[maybe_unused]] static void mix() {}
#endif

// The volatile lets the compiler neither see that there is no end nor make a loop of it.
static volatile bool deeper = true;
static volatile uint32_t depth;
[[maybe_unused]] __attribute__((noinline)) static uint32_t recurse(uint32_t at) {
  depth = at;
  return deeper ? recurse(at + 1) + depth : at;
}

// In front of the echo.
template <Poison kind> static void poison() {
  if constexpr (kind == Poison::trap) {
    __builtin_trap();
  } else if constexpr (kind == Poison::spin) {
    spin();
  } else if constexpr (kind == Poison::memory_fill) {
    // One instruction that takes milliseconds, again and again: a kill has to get in between.
    char *room = static_cast<char *>(sluice_allocate(16 << 20, 16));
    for (int i = 0;; i++) __builtin_memset(room, i, 16 << 20);
  } else if constexpr (kind == Poison::recurse) {
    recurse(0);
  } else if constexpr (kind == Poison::log_flood) {
    for (int i = 0; i < 100000; i++) sluice_log(SLUICE_WARN, SLUICE_TEXT("the same line, very many times over"));
  } else if constexpr (kind == Poison::memory_hog) {
    // Takes everything that the cap gives, then answers.
    while (__builtin_wasm_memory_grow(0, 16) != static_cast<size_t>(-1)) {}
  } else if constexpr (kind == Poison::grow) {
    // Grows in the middle of a call: views that the host took before are detached by now.
    sluice_allocate(8 << 20, 16);
  } else if constexpr (kind == Poison::vector) {
    mix();
  } else if constexpr (kind == Poison::slow) {
    // A guest has no clock: a million rounds are about a millisecond.
    for (volatile uint32_t i = 0; i < slow_for * 1000000; i = i + 1) {}
  }
}

// Behind the echo: what sluice_ok would have put right.
template <Poison kind> static void poison_message([[maybe_unused]] sluice_message *message) {
  if constexpr (kind == Poison::bad_pointer) {
    message->payload = sluice_view(reinterpret_cast<const char *>(0xfffffff0u), 8);
  } else if constexpr (kind == Poison::bad_length) {
    message->payload.length = 0xffffffffu;
  } else if constexpr (kind == Poison::outside_arena) {
    message->payload = SLUICE_TEXT("a constant that was not copied in");
  } else if constexpr (kind == Poison::invalid_utf8) {
    message->topic = sluice_lend(SLUICE_TEXT("a/\xff\xfe"));
  } else if constexpr (kind == Poison::wildcard_topic) {
    message->topic = sluice_lend(SLUICE_TEXT("plant/#"));
  } else if constexpr (kind == Poison::big_output) {
    char *room = static_cast<char *>(sluice_allocate(1 << 20, 1));
    for (uint32_t i = 0; i < 1 << 20; i++) room[i] = static_cast<char>('a' + i % 26);
    message->payload = sluice_view(room, 1 << 20);
  }
}

template <Poison kind, uint32_t at> static sluice_result convert(const sluice_frame *frame) {
  bool poisoned = frame->payload.length > at && sluice_u8(frame->payload, at) == 0xee;
  if (poisoned) poison<kind>();
  if constexpr (kind == Poison::flaky) {
    // One frame in a hundred, whatever is in it: a fresh instance gets through it.
    static uint32_t frames;
    if (++frames % 100 == 0) __builtin_trap();
  }
  if constexpr (kind == Poison::zero_output) {
    // Allowed: a frame that means nothing to anybody.
    if (poisoned) return sluice_ok(nullptr, 0);
  }
  sluice_message *message = sluice_reply(frame, 1);
  message->payload = frame->payload;
  sluice_result result = sluice_ok(message, 1);
  if (poisoned) poison_message<kind>(message);
  return result;
}

template <Poison kind> static sluice_result configure(sluice_text config) {
  if constexpr (kind == Poison::spin_at_configure) spin();
  slow_for = static_cast<uint32_t>(number_in(config, SLUICE_TEXT("\"ms\":"), 0));
  return SLUICE_CONFIGURED;
}

#define GUEST(verb, kind, at) CONVERTER_VERB(verb, (convert<Poison::kind, at>), configure<Poison::kind>, sluice_no_flush)

#ifdef __wasm_simd128__
GUEST(vector, vector, 0)
#else
GUEST(echo, none, 0)
GUEST(trap, trap, 0)
GUEST(spin, spin, 0)
GUEST(memory_fill, memory_fill, 0)
GUEST(recurse, recurse, 0)
GUEST(log_flood, log_flood, 0)
GUEST(memory_hog, memory_hog, 0)
GUEST(bad_pointer, bad_pointer, 0)
GUEST(bad_length, bad_length, 0)
GUEST(outside_arena, outside_arena, 0)
GUEST(invalid_utf8, invalid_utf8, 0)
GUEST(wildcard_topic, wildcard_topic, 0)
GUEST(grow, grow, 0)
GUEST(big_output, big_output, 0)
GUEST(slow, slow, 0)
GUEST(spin_at_configure, spin_at_configure, 0)
GUEST(flaky, flaky, 0)
GUEST(zero_output, zero_output, 0)
GUEST(trap_modbus, trap, 9)
GUEST(spin_modbus, spin, 9)
#endif
