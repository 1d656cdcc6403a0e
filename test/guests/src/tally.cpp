// Has a state that it hands over: every frame becomes its number since the first instance, as decimal text; `flush` holds
// nothing back and says so. A frame that begins with 0xee traps, one with 0xdd spins. FORM is the version of what it
// exports; it reads that and 1. What it does wrong over its state is chosen when it is built.
#include "sluice.h"

#ifndef FORM
#define FORM 1
#endif

static uint64_t frames_seen;

[[noreturn]] static void spin() {
  volatile uint32_t turns = 0;
  for (;;) turns = turns + 1;
}

static sluice_result convert(const sluice_frame *frame) {
  if (frame->payload.length > 0) {
    auto first = static_cast<uint8_t>(frame->payload.at[0]);
    if (first == 0xee) __builtin_trap();
    if (first == 0xdd) spin();
  }
  sluice_message *message = sluice_reply(frame, 1);
  sluice_writer w = sluice_begin();
  sluice_put_u64(&w, ++frames_seen);
  message->payload = sluice_end(&w);
  message->content_type = SLUICE_TEXT("text/plain");
  return sluice_ok(message, 1);
}

static sluice_messages flush(uint64_t now) {
  sluice_frame none = {};
  none.timestamp = now;
  sluice_message *message = sluice_reply(&none, 1);
  message->topic = SLUICE_TEXT("tally/flushed");
  return sluice_list(message, 1);
}

[[maybe_unused]] static sluice_state save(void) {
#ifdef EXPORT_TRAPS
  __builtin_trap();
#endif
#ifdef EXPORT_SPINS
  spin();
#endif
  auto *copy = static_cast<uint64_t *>(sluice_allocate(sizeof frames_seen, 8));
  *copy = frames_seen;
  return {FORM, sluice_view(reinterpret_cast<const char *>(copy), sizeof frames_seen)};
}

static sluice_result load(uint32_t version, sluice_text bytes) {
#ifdef IMPORT_TRAPS
  __builtin_trap();
#endif
#ifdef IMPORT_SPINS
  spin();
#endif
  if (version != FORM && version != 1) return sluice_fault(SLUICE_CONFIGURATION, SLUICE_TEXT("I do not read this form"));
  if (bytes.length != sizeof frames_seen) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("not 8 bytes"));
  __builtin_memcpy(&frames_seen, bytes.at, sizeof frames_seen);
  return SLUICE_CONFIGURED;
}

SLUICE_CONVERTER(convert, sluice_no_configure, flush)
#ifndef EXPORT_OUTSIDE
SLUICE_STATE(save, load)
#endif

#ifdef EXPORT_OUTSIDE
// The SDK would copy what does not lie in the arena.
SLUICE__EXPORT("import-state") void *import_nothing(uint32_t version, const char *at, uint32_t length) {
  return sluice__result(load(version, sluice_view(at, length)));
}
SLUICE__EXPORT("export-state") void *export_outside(void) {
  auto *at = static_cast<sluice_state *>(sluice_allocate(sizeof(sluice_state), 4));
  *at = {FORM, sluice_view(reinterpret_cast<const char *>(16), 8)};
  return at;
}
#endif
