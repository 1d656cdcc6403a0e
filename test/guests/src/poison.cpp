// Echoes every frame, but does what -DPOISON=... names when the payload begins with 0xEE.
#include "sluice.h"

#define TRAP 1
#define SPIN 2
#define MEMORY_FILL 3
#define RECURSE 4
#define LOG_FLOOD 5
#define MEMORY_HOG 6

#ifndef POISON
#define POISON 0
#endif

#if POISON == RECURSE
static volatile int depth_sink;
__attribute__((noinline)) static int recurse(volatile int *above) {
  volatile int here = *above + 1;
  int below = recurse(&here);
  depth_sink = below;
  return below + here;
}
#endif

static void poison() {
#if POISON == TRAP
  __builtin_trap();
#elif POISON == SPIN
  for (volatile uint32_t i = 0;; i = i + 1) {}
#elif POISON == MEMORY_FILL
  // One instruction that takes milliseconds, again and again: a kill has to get in between.
  char *room = static_cast<char *>(sluice_allocate(16 << 20, 16));
  for (int i = 0;; i++) __builtin_memset(room, i, 16 << 20);
#elif POISON == RECURSE
  volatile int zero = 0;
  recurse(&zero);
#elif POISON == LOG_FLOOD
  for (int i = 0; i < 100000; i++) sluice_log(SLUICE_WARN, SLUICE_TEXT("the same line, very many times over"));
#elif POISON == MEMORY_HOG
  // Takes everything that the cap gives, then answers.
  while (__builtin_wasm_memory_grow(0, 16) != static_cast<size_t>(-1)) {}
#endif
}

static sluice_result convert(const sluice_frame *frame) {
  if (frame->payload.length > 0 && sluice_u8(frame->payload, 0) == 0xee) poison();
  sluice_message *message = sluice_reply(frame, 1);
  message->payload = frame->payload;
  return sluice_ok(message, 1);
}

SLUICE_CONVERTER(convert, sluice_no_configure, sluice_no_flush)
