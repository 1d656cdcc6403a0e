// Echoes every frame (topic, payload, properties), but does what -DPOISON=... names when the payload begins
// with 0xEE: good frames and bad ones can be mixed in one batch. -DPOISON_AT=9 looks at another byte: in a
// Modbus reply that is the first one of the first register.
#include "number-in.h"
#include "sluice.h"

#define TRAP 1
#define SPIN 2
#define MEMORY_FILL 3
#define RECURSE 4
#define LOG_FLOOD 5
#define MEMORY_HOG 6
#define BAD_POINTER 7
#define BAD_LENGTH 8
#define OUTSIDE_ARENA 9
#define INVALID_UTF8 10
#define WILDCARD_TOPIC 11
#define GROW 12
#define BIG_OUTPUT 13
#define SLOW 14
#define SPIN_AT_CONFIGURE 15
#define VECTOR 16
#define FLAKY 17
#define ZERO_OUTPUT 18

#ifndef POISON
#define POISON 0
#endif

#ifndef POISON_AT
#define POISON_AT 0
#endif

[[maybe_unused]] static uint32_t slow_for;

[[maybe_unused]] static void spin() {
  for (volatile uint32_t i = 0;; i = i + 1) {}
}

#if POISON == VECTOR
#include <wasm_simd128.h>
// Does nothing but use instructions on float vectors, and one on integers.
static volatile float mixed[4];
__attribute__((noinline)) static void mix() {
  float *at = const_cast<float *>(mixed);
  v128_t a = wasm_v128_load(at);
  wasm_v128_store(at, wasm_f32x4_add(wasm_f32x4_mul(a, a), wasm_i32x4_add(a, a)));
}
#endif

#if POISON == RECURSE
// The volatile lets the compiler neither see that there is no end nor make a loop of it.
static volatile bool deeper = true;
static volatile uint32_t depth;
__attribute__((noinline)) static uint32_t recurse(uint32_t at) {
  depth = at;
  return deeper ? recurse(at + 1) + depth : at;
}
#endif

// In front of the echo.
static void poison() {
#if POISON == TRAP
  __builtin_trap();
#elif POISON == SPIN
  spin();
#elif POISON == MEMORY_FILL
  // One instruction that takes milliseconds, again and again: a kill has to get in between.
  char *room = static_cast<char *>(sluice_allocate(16 << 20, 16));
  for (int i = 0;; i++) __builtin_memset(room, i, 16 << 20);
#elif POISON == RECURSE
  recurse(0);
#elif POISON == LOG_FLOOD
  for (int i = 0; i < 100000; i++) sluice_log(SLUICE_WARN, SLUICE_TEXT("the same line, very many times over"));
#elif POISON == MEMORY_HOG
  // Takes everything that the cap gives, then answers.
  while (__builtin_wasm_memory_grow(0, 16) != static_cast<size_t>(-1)) {}
#elif POISON == GROW
  // Grows in the middle of a call: views that the host took before are detached by now.
  sluice_allocate(8 << 20, 16);
#elif POISON == VECTOR
  mix();
#elif POISON == SLOW
  // A guest has no clock: a million rounds are about a millisecond.
  for (volatile uint32_t i = 0; i < slow_for * 1000000; i = i + 1) {}
#endif
}

// Behind the echo: what sluice_ok would have put right.
static void poison_message([[maybe_unused]] sluice_message *message) {
#if POISON == BAD_POINTER
  message->payload = sluice_view(reinterpret_cast<const char *>(0xfffffff0u), 8);
#elif POISON == BAD_LENGTH
  message->payload.length = 0xffffffffu;
#elif POISON == OUTSIDE_ARENA
  message->payload = SLUICE_TEXT("a constant that was not copied in");
#elif POISON == INVALID_UTF8
  message->topic = sluice_lend(SLUICE_TEXT("a/\xff\xfe"));
#elif POISON == WILDCARD_TOPIC
  message->topic = sluice_lend(SLUICE_TEXT("plant/#"));
#elif POISON == BIG_OUTPUT
  char *room = static_cast<char *>(sluice_allocate(1 << 20, 1));
  for (uint32_t i = 0; i < 1 << 20; i++) room[i] = static_cast<char>('a' + i % 26);
  message->payload = sluice_view(room, 1 << 20);
#endif
}

static sluice_result convert(const sluice_frame *frame) {
  bool poisoned = frame->payload.length > POISON_AT && sluice_u8(frame->payload, POISON_AT) == 0xee;
  if (poisoned) poison();
#if POISON == FLAKY
  // One frame in a hundred, whatever is in it: a fresh instance gets through it.
  static uint32_t frames;
  if (++frames % 100 == 0) __builtin_trap();
#elif POISON == ZERO_OUTPUT
  // Allowed: a frame that means nothing to anybody.
  if (poisoned) return sluice_ok(nullptr, 0);
#endif
  sluice_message *message = sluice_reply(frame, 1);
  message->payload = frame->payload;
  sluice_result result = sluice_ok(message, 1);
  if (poisoned) poison_message(message);
  return result;
}

static sluice_result configure(sluice_text config) {
#if POISON == SPIN_AT_CONFIGURE
  spin();
#endif
  slow_for = static_cast<uint32_t>(number_in(config, SLUICE_TEXT("\"ms\":"), 0));
  return SLUICE_CONFIGURED;
}

SLUICE_CONVERTER(convert, configure, sluice_no_flush)
