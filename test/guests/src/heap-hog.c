/*
 * A component that takes the heap of the thread: what it returns is small in its own memory, as all its messages share one
 * list of properties, and becomes millions of objects outside. Echoes every frame, and does this where the first byte of the
 * payload is 0xee, or the tenth: in a Modbus reply that is the first one of the first register.
 */
#include "sluice.h"

enum { MESSAGES = 20000, PROPERTIES = 1000 };

static sluice_result convert(const sluice_frame *frame) {
  int first = frame->payload.length > 0 && sluice_u8(frame->payload, 0) == 0xee;
  int poisoned = first || (frame->payload.length > 9 && sluice_u8(frame->payload, 9) == 0xee);
  uint32_t count = poisoned ? MESSAGES : 1;
  sluice_message *messages = sluice_reply(frame, count);
  for (uint32_t i = 0; i < count; i++) messages[i].payload = frame->payload;
  if (poisoned) {
    sluice_property *shared = (sluice_property *)sluice_allocate(PROPERTIES * sizeof *shared, 4);
    for (uint32_t i = 0; i < PROPERTIES; i++) shared[i].key = shared[i].value = frame->topic;
    for (uint32_t i = 0; i < MESSAGES; i++) {
      messages[i].properties.at = shared;
      messages[i].properties.count = PROPERTIES;
    }
  }
  return sluice_ok(messages, count);
}

SLUICE_CONVERTER(convert, sluice_no_configure, sluice_no_flush)
