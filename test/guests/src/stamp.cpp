// Puts its stamp in front of every payload. A test or benchmark writes another number over the one in the file, so that
// each version is other code and every message tells which one it went through.
#include "sluice.h"

// Volatile, so that it stays in the file as it is written here.
static const volatile char stamp[] = "stamp:000000:";
static constexpr uint32_t FROM = 6;
static constexpr uint32_t SIZE = 7;

static sluice_result convert(const sluice_frame *frame) {
  sluice_message *message = sluice_reply(frame, 1);
  char number[SIZE];
  for (uint32_t i = 0; i < SIZE; i++) number[i] = stamp[FROM + i];
  sluice_writer w = sluice_begin();
  sluice_put(&w, sluice_view(number, SIZE));
  sluice_put(&w, frame->payload);
  message->payload = sluice_end(&w);
  return sluice_ok(message, 1);
}

SLUICE_CONVERTER(convert, sluice_no_configure, sluice_no_flush)
