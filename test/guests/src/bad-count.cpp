// Echoes, but leaves out the results of poisoned frames (payload begins with 0xEE): too few for the batch.
#include "sluice.h"

SLUICE__CONFIGURE(sluice_no_configure)

SLUICE__EXPORT("convert") void *convert(const sluice_frame *frames, uint32_t count) {
  sluice__list *list = sluice__return(nullptr, 0);
  auto *results = static_cast<sluice_result *>(sluice_allocate(count * sizeof(sluice_result), 4));
  list->at = results;
  for (uint32_t i = 0; i < count; i++) {
    if (frames[i].payload.length > 0 && sluice_u8(frames[i].payload, 0) == 0xee) continue;
    sluice_message *message = sluice_reply(frames + i, 1);
    message->payload = frames[i].payload;
    results[list->count++] = sluice_ok(message, 1);
  }
  return list;
}

SLUICE__EXPORT("flush") void *flush(uint64_t) { return sluice__return(nullptr, 0); }
