// For a source that holds several converters: each has its functions under a name of its own, and is linked with these
// and what they call (guests.json: "verb"). To compile one costs a compiler in WebAssembly three times what a link does.
#ifndef VERBS_H
#define VERBS_H
#include "sluice.h"

#define OF_VERB extern "C" __attribute__((visibility("default")))

// SLUICE_CONVERTER of sluice.h, for a verb.
#define CONVERTER_VERB(verb, convert_frame, configure_with, flush_at) \
  OF_VERB void *verb##_configure(const char *at, uint32_t length) { return sluice__result(configure_with(sluice_view(at, length))); } \
  OF_VERB void *verb##_convert(const sluice_frame *frames, uint32_t count) { \
    if (count > 0x7fffffu) __builtin_trap(); \
    sluice__list *list = sluice__return(0, count); \
    auto *results = static_cast<sluice_result *>(sluice_allocate(count * static_cast<uint32_t>(sizeof(sluice_result)), 4)); \
    list->at = results; \
    for (uint32_t i = 0; i < count; i++) results[i] = convert_frame(frames + i); \
    return list; \
  } \
  OF_VERB void *verb##_flush(uint64_t now) { \
    sluice_messages messages = flush_at(now); \
    return sluice__return(messages.at, messages.count); \
  }

// SLUICE_STATE, for a verb. `saved` is what the SDK makes of a state: an address.
#define STATE_VERB(verb, saved, import_with) \
  OF_VERB void *verb##_export_state(void) { return saved; } \
  OF_VERB void *verb##_import_state(uint32_t version, const char *at, uint32_t length) { \
    return sluice__result(import_with(version, sluice_view(at, length))); \
  }

#endif
