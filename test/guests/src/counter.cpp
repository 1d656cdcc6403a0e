// Has a state: every frame becomes its number since the start of the instance, as decimal text. `flush` tells
// the total under the topic "counter/total"; a reload without a state begins again at 1.
#include "sluice.h"

static uint64_t frames_seen;

static sluice_text number(uint64_t value) {
  sluice_writer w = sluice_begin();
  sluice_put_u64(&w, value);
  return sluice_end(&w);
}

static sluice_result convert(const sluice_frame *frame) {
  sluice_message *message = sluice_reply(frame, 1);
  message->payload = number(++frames_seen);
  message->content_type = SLUICE_TEXT("text/plain");
  return sluice_ok(message, 1);
}

static sluice_messages flush(uint64_t now) {
  sluice_frame none = {};
  none.timestamp = now;
  sluice_message *message = sluice_reply(&none, 1);
  message->topic = SLUICE_TEXT("counter/total");
  message->payload = number(frames_seen);
  return sluice_list(message, 1);
}

SLUICE_CONVERTER(convert, sluice_no_configure, flush)
