// Has a state that it hands over: every frame becomes its number since the first instance, as decimal text; `flush` holds
// nothing back and says so. A frame that begins with 0xee traps, one with 0xdd spins. `form` is the version of what it
// exports; it reads that and 1. What it does wrong over its state is in its name.
#include "verbs.h"

enum class Fault { none, export_traps, export_spins, export_outside, import_traps, import_spins };

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

template <uint32_t form, Fault fault> static void *save() {
  if constexpr (fault == Fault::export_traps) __builtin_trap();
  if constexpr (fault == Fault::export_spins) spin();
  if constexpr (fault == Fault::export_outside) {
    // The SDK would copy what does not lie in the arena.
    auto *at = static_cast<sluice_state *>(sluice_allocate(sizeof(sluice_state), 4));
    *at = {form, sluice_view(reinterpret_cast<const char *>(16), 8)};
    return at;
  } else {
    auto *copy = static_cast<uint64_t *>(sluice_allocate(sizeof frames_seen, 8));
    *copy = frames_seen;
    return sluice__state({form, sluice_view(reinterpret_cast<const char *>(copy), sizeof frames_seen)});
  }
}

template <uint32_t form, Fault fault> static sluice_result load(uint32_t version, sluice_text bytes) {
  if constexpr (fault == Fault::import_traps) __builtin_trap();
  if constexpr (fault == Fault::import_spins) spin();
  if (version != form && version != 1) return sluice_fault(SLUICE_CONFIGURATION, SLUICE_TEXT("I do not read this form"));
  if (bytes.length != sizeof frames_seen) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("not 8 bytes"));
  __builtin_memcpy(&frames_seen, bytes.at, sizeof frames_seen);
  return SLUICE_CONFIGURED;
}

#define GUEST(verb, form, fault) \
  CONVERTER_VERB(verb, convert, sluice_no_configure, flush) \
  STATE_VERB(verb, (save<form, Fault::fault>()), (load<form, Fault::fault>))

GUEST(tally, 1, none)
GUEST(tally_2, 2, none)
GUEST(tally_export_traps, 1, export_traps)
GUEST(tally_export_spins, 1, export_spins)
GUEST(tally_export_outside, 1, export_outside)
GUEST(tally_import_traps, 1, import_traps)
GUEST(tally_import_spins, 1, import_spins)
