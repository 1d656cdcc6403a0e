/* The conformance converter: modbus-json without configuration, once more, in plain C. Every text is the
   same as in ../modbus-json/assembly; the conformance test compares the outputs bit by bit. */
#include "sluice.h"

enum { UNIT = 6, FUNCTION = 7, BYTE_COUNT = 8, DATA = 9 };

static sluice_result say(sluice_fault_code code, sluice_text before, uint32_t value, sluice_text behind) {
  sluice_writer w = sluice_begin();
  sluice_put(&w, before);
  sluice_put_u32(&w, value);
  sluice_put(&w, behind);
  return sluice_fault(code, sluice_end(&w));
}

static sluice_result say_two(sluice_text before, uint32_t x, sluice_text between, uint32_t y, sluice_text behind) {
  sluice_writer w = sluice_begin();
  sluice_put(&w, before);
  sluice_put_u32(&w, x);
  sluice_put(&w, between);
  sluice_put_u32(&w, y);
  sluice_put(&w, behind);
  return sluice_fault(SLUICE_MALFORMED, sluice_end(&w));
}

/* Modbus application protocol 1.1b3, section 7. */
static sluice_text exception_name(uint32_t code) {
  switch (code) {
    case 1: return SLUICE_TEXT("illegal function");
    case 2: return SLUICE_TEXT("illegal data address");
    case 3: return SLUICE_TEXT("illegal data value");
    case 4: return SLUICE_TEXT("server device failure");
    case 5: return SLUICE_TEXT("acknowledge");
    case 6: return SLUICE_TEXT("server device busy");
    case 8: return SLUICE_TEXT("memory parity error");
    case 10: return SLUICE_TEXT("gateway path unavailable");
    case 11: return SLUICE_TEXT("gateway target device failed to respond");
    default: return SLUICE_TEXT("");
  }
}

static sluice_result exception(uint32_t code, uint32_t unit) {
  sluice_text name = exception_name(code);
  sluice_writer w = sluice_begin();
  sluice_put(&w, SLUICE_TEXT("Modbus exception "));
  sluice_put_u32(&w, code);
  if (name.length > 0) {
    sluice_put(&w, SLUICE_TEXT(" ("));
    sluice_put(&w, name);
    sluice_put(&w, SLUICE_TEXT(")"));
  }
  sluice_put(&w, SLUICE_TEXT(" from unit "));
  sluice_put_u32(&w, unit);
  return sluice_fault(SLUICE_DEVICE, sluice_end(&w));
}

/* Why the reply is no good. */
static __attribute__((noinline)) sluice_result explain(sluice_text adu) {
  uint32_t length = adu.length;
  if (length < DATA - 1) {
    return say(SLUICE_MALFORMED, SLUICE_TEXT(""), length, SLUICE_TEXT(" bytes are too few for a Modbus TCP header and function (8)"));
  }
  uint32_t protocol = sluice_u16(adu, 2), follows = sluice_u16(adu, 4), code = sluice_u8(adu, FUNCTION);
  if (protocol != 0) return say(SLUICE_MALFORMED, SLUICE_TEXT("the protocol identifier is "), protocol, SLUICE_TEXT(", not 0"));
  if (follows != length - 6) {
    return say_two(SLUICE_TEXT("the header says "), follows, SLUICE_TEXT(" bytes, "), length - 6, SLUICE_TEXT(" follow"));
  }
  if (code >= 0x80) {
    if (length != DATA) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("an exception reply has one byte of code"));
    return exception(sluice_u8(adu, BYTE_COUNT), sluice_u8(adu, UNIT));
  }
  if (code < 1 || code > 4) return say(SLUICE_UNSUPPORTED, SLUICE_TEXT("function "), code, SLUICE_TEXT(" is not one of 1 to 4"));
  if (length == DATA - 1) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("the reply ends in front of its byte count"));
  uint32_t bytes = sluice_u8(adu, BYTE_COUNT);
  if (bytes != length - DATA) {
    return say_two(SLUICE_TEXT("the byte count is "), bytes, SLUICE_TEXT(", "), length - DATA, SLUICE_TEXT(" bytes follow"));
  }
  if (bytes == 0) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("the reply has no values"));
  return say(SLUICE_MALFORMED, SLUICE_TEXT(""), bytes, SLUICE_TEXT(" bytes are not a whole number of registers"));
}

/* A number of 1 to 5 digits up to 65535 in front of the cursor, or -1. */
static int32_t number_before(sluice_text topic, uint32_t *cursor) {
  uint32_t value = 0, place = 1;
  while (*cursor > 0 && place < 100000) {
    uint32_t digit = sluice_u8(topic, *cursor - 1) - '0';
    if (digit > 9) break;
    value += digit * place;
    place *= 10;
    --*cursor;
  }
  return place == 1 || value > 65535 ? -1 : (int32_t)value;
}

static bool before(sluice_text topic, uint32_t *cursor, char c) {
  if (*cursor == 0 || topic.at[*cursor - 1] != c) return false;
  --*cursor;
  return true;
}

/* Does the topic end in /<unit>/<function>/<first>-<last>? */
static bool read_range(sluice_text topic, uint32_t *first, uint32_t *count) {
  uint32_t cursor = topic.length;
  int32_t last = number_before(topic, &cursor);
  if (last < 0 || !before(topic, &cursor, '-')) return false;
  int32_t from = number_before(topic, &cursor);
  if (from < 0 || from > last || !before(topic, &cursor, '/')) return false;
  if (number_before(topic, &cursor) < 0 || !before(topic, &cursor, '/')) return false;
  if (number_before(topic, &cursor) < 0 || !before(topic, &cursor, '/')) return false;
  *first = (uint32_t)from;
  *count = (uint32_t)(last - from + 1);
  return true;
}

static sluice_result convert(const sluice_frame *frame) {
  sluice_text adu = frame->payload;
  uint32_t length = adu.length;
  bool bits = length > FUNCTION && sluice_u8(adu, FUNCTION) < 3;
  if (!(length > DATA && sluice_u16(adu, 2) == 0 && sluice_u16(adu, 4) == length - 6 &&
        sluice_u8(adu, FUNCTION) - 1 < 4 && sluice_u8(adu, BYTE_COUNT) == length - DATA && (bits || length % 2 == 1))) {
    return explain(adu);
  }
  uint32_t first = 0, count = 0, bytes = length - DATA;
  bool ranged = read_range(frame->topic, &first, &count);
  if (ranged && bytes != (bits ? (count + 7) / 8 : count * 2)) {
    return say_two(SLUICE_TEXT("the topic names "), count, SLUICE_TEXT(" values, the reply has "), bytes, SLUICE_TEXT(" bytes"));
  }
  if (!ranged) count = bits ? bytes * 8 : bytes / 2;

  sluice_message *message = sluice_reply(frame, 1);
  sluice_writer w = sluice_begin();
  sluice_put(&w, SLUICE_TEXT("{\"unit\":"));
  sluice_put_u32(&w, sluice_u8(adu, UNIT));
  sluice_put(&w, SLUICE_TEXT(",\"function\":"));
  sluice_put_u32(&w, sluice_u8(adu, FUNCTION));
  if (ranged) {
    sluice_put(&w, SLUICE_TEXT(",\"first\":"));
    sluice_put_u32(&w, first);
  }
  sluice_put(&w, SLUICE_TEXT(",\"values\":["));
  for (uint32_t i = 0; i < count; i++) {
    if (i > 0) sluice_put_char(&w, ',');
    if (bits) sluice_put_char(&w, (char)('0' + (sluice_u8(adu, DATA + i / 8) >> (i & 7) & 1)));
    else sluice_put_u32(&w, sluice_u16(adu, DATA + i * 2));
  }
  sluice_put(&w, SLUICE_TEXT("]}"));
  message->payload = sluice_end(&w);
  message->content_type = SLUICE_TEXT("application/json");
  return sluice_ok(message, 1);
}

static sluice_result configure(sluice_text config) {
  (void)config;
  sluice_log(SLUICE_INFO, SLUICE_TEXT("no tags: each reply becomes one message"));
  return SLUICE_CONFIGURED;
}
