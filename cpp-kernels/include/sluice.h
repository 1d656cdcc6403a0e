/*
 * sluice.h: write a Sluice plugin in C11 or C++20, without libc. One source file a plugin; include this
 * once. It mirrors runtime/plugin.wit (records, Canonical ABI) and holds the arena, text writers and
 * the exports; the author writes the conversion of one frame.
 *
 * Memory: everything allocated here lives until the next call of the host. Frames are lent for the call
 * and messages may point into them. Constants may be used in messages: sluice_ok copies them in.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SLUICE__C extern "C"
#define SLUICE__ASSERT static_assert
#else
#define SLUICE__C extern
#define SLUICE__ASSERT _Static_assert
#endif
#define SLUICE__INLINE static inline __attribute__((unused))
#define SLUICE__FAR static __attribute__((noinline, unused))
#define SLUICE__EXPORT(name) SLUICE__C __attribute__((export_name(name)))

/* ---- Records of plugin.wit. Offsets as in runtime/contract.ts. ---- */

/* string and list<u8>: not terminated by a zero. */
typedef struct { const char *at; uint32_t length; } sluice_text;
typedef struct { sluice_text key, value; } sluice_property;
typedef struct { const sluice_property *at; uint32_t count; } sluice_properties;

/* timestamp: nanoseconds since 1970-01-01T00:00:00Z. */
typedef struct {
  sluice_text source, topic;
  uint64_t timestamp;
  sluice_text payload;
  sluice_properties properties;
} sluice_frame;

typedef struct {
  sluice_text topic, payload;
  uint64_t timestamp;
  sluice_text content_type;
  uint8_t qos, retain;
  sluice_properties properties;
} sluice_message;

typedef struct { const sluice_message *at; uint32_t count; } sluice_messages;

typedef enum {
  SLUICE_MALFORMED, SLUICE_UNSUPPORTED, SLUICE_OUT_OF_RANGE, SLUICE_DEVICE, SLUICE_CONFIGURATION, SLUICE_INTERNAL
} sluice_fault_code;

/* result<list<message>, fault>; also result<_, fault>, whose first case is empty. */
typedef struct {
  uint8_t failed;
  union { sluice_messages ok; struct { uint8_t code; sluice_text text; } fault; } as;
} sluice_result;

typedef enum { SLUICE_TRACE, SLUICE_DEBUG, SLUICE_INFO, SLUICE_WARN, SLUICE_ERROR } sluice_level;
typedef enum { SLUICE_EINVAL, SLUICE_ENOSPC, SLUICE_EDOM, SLUICE_ERANGE, SLUICE_ENOMEM, SLUICE_ENOSYS } sluice_errno;
typedef enum { SLUICE_BYTES, SLUICE_F32 } sluice_format;

/* rate: samples a second and channel. count: elements of data, so floats for SLUICE_F32. */
typedef struct {
  sluice_text source, topic;
  uint64_t timestamp;
  double rate;
  uint32_t channels;
  uint8_t format;
  const void *data;
  uint32_t count;
} sluice_block;

typedef struct {
  uint8_t failed;
  union { sluice_block block; uint8_t error; } as;
} sluice_block_result;

#define SLUICE__AT(type, field, offset) SLUICE__ASSERT(offsetof(type, field) == offset, #type "." #field)
#define SLUICE__SIZE(type, size) SLUICE__ASSERT(sizeof(type) == size, #type)
SLUICE__SIZE(sluice_frame, 40); SLUICE__AT(sluice_frame, topic, 8); SLUICE__AT(sluice_frame, timestamp, 16);
SLUICE__AT(sluice_frame, payload, 24); SLUICE__AT(sluice_frame, properties, 32);
SLUICE__SIZE(sluice_message, 48); SLUICE__AT(sluice_message, payload, 8); SLUICE__AT(sluice_message, timestamp, 16);
SLUICE__AT(sluice_message, content_type, 24); SLUICE__AT(sluice_message, qos, 32);
SLUICE__AT(sluice_message, retain, 33); SLUICE__AT(sluice_message, properties, 36);
SLUICE__SIZE(sluice_property, 16); SLUICE__AT(sluice_property, value, 8);
SLUICE__SIZE(sluice_result, 16); SLUICE__AT(sluice_result, as, 4); SLUICE__AT(sluice_result, as.fault.text, 8);
SLUICE__SIZE(sluice_block, 48); SLUICE__AT(sluice_block, rate, 24); SLUICE__AT(sluice_block, channels, 32);
SLUICE__AT(sluice_block, format, 36); SLUICE__AT(sluice_block, data, 40);
SLUICE__SIZE(sluice_block_result, 56); SLUICE__AT(sluice_block_result, as, 8);

/* ---- Memory. The arena runs from sluice__base; what a plugin keeps lies below it. ---- */

SLUICE__C unsigned char __heap_base;
static uint32_t sluice__base, sluice__next, sluice__limit, sluice__call;

/* Makes `bytes` more addressable behind sluice__next. */
SLUICE__FAR bool sluice__grow(uint32_t bytes) {
  uint64_t end = (uint64_t)sluice__next + bytes;
  if (end > 0xffff0000u) return false;
  uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (end > have) {
    size_t pages = (size_t)((end - have + 0xffff) >> 16);
    /* Some more than asked for, so that a growing load does not grow at each call. */
    if (__builtin_wasm_memory_grow(0, pages + 16) == (size_t)-1 &&
        __builtin_wasm_memory_grow(0, pages) == (size_t)-1) return false;
    have = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  }
  sluice__limit = have > 0xffff0000u ? 0xffff0000u : (uint32_t)have;
  return true;
}

SLUICE__INLINE bool sluice__room(uint32_t bytes) {
  return (sluice__limit >= sluice__next && sluice__limit - sluice__next >= bytes) || sluice__grow(bytes);
}

/* Forgets everything of the last call. */
SLUICE__INLINE void sluice__reset(void) {
  if (sluice__base == 0) sluice__base = ((uint32_t)(uintptr_t)&__heap_base + 15) & ~15u;
  sluice__next = sluice__base;
  sluice__call++;
}

/* Memory until the next call, not cleared. Out of memory is a trap: the host throws the instance away. */
SLUICE__INLINE void *sluice_allocate(uint32_t size, uint32_t align) {
  if (sluice__base == 0) sluice__reset();
  uint32_t at = (sluice__next + (align - 1)) & ~(align - 1);
  uint32_t pad = at - sluice__next;
  if (size > 0xffff0000u || !sluice__room(size + pad)) __builtin_trap();
  sluice__next = at + size;
  return (void *)(uintptr_t)at;
}

/* Memory for the life of the instance, not cleared. Meant for configure; it is never given back. */
SLUICE__INLINE void *sluice_keep(uint32_t size) {
  void *at = sluice_allocate(size, 16);
  sluice__base = (sluice__next + 15) & ~15u;
  return at;
}

SLUICE__EXPORT("sluice_arena") uint32_t sluice_arena(uint32_t size) {
  sluice__reset();
  if (!sluice__room(size)) return 0;
  sluice__next = sluice__base + size;
  return sluice__base;
}

SLUICE__EXPORT("sluice_arena_end") uint32_t sluice_arena_end(void) { return sluice__next; }

/* Components only: how the host gets memory for its input. */
SLUICE__EXPORT("cabi_realloc") void *cabi_realloc(void *old, uint32_t had, uint32_t align, uint32_t size) {
  char *at = (char *)sluice_allocate(size, align);
  for (uint32_t i = 0; i < had && i < size; i++) at[i] = ((const char *)old)[i];
  return at;
}

/*
 * What there is of <string.h>, of which compilers make calls by themselves; what is not called is not in the module.
 * volatile: else the loops are taken for what they are and become calls of themselves.
 */
SLUICE__C __attribute__((weak)) void *memcpy(void *to, const void *from, size_t n) {
  for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}
SLUICE__C __attribute__((weak)) void *memmove(void *to, const void *from, size_t n) {
  bool up = (uintptr_t)to < (uintptr_t)from;
  for (size_t i = 0; i < n; i++) {
    size_t at = up ? i : n - 1 - i;
    ((volatile char *)to)[at] = ((const volatile char *)from)[at];
  }
  return to;
}
SLUICE__C __attribute__((weak)) void *memset(void *to, int value, size_t n) {
  for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = (char)value;
  return to;
}
SLUICE__C __attribute__((weak)) int memcmp(const void *a, const void *b, size_t n) {
  const volatile unsigned char *one = (const volatile unsigned char *)a, *other = (const volatile unsigned char *)b;
  for (size_t i = 0; i < n; i++) {
    int difference = one[i] - other[i];
    if (difference != 0) return difference;
  }
  return 0;
}
SLUICE__C __attribute__((weak)) size_t strlen(const char *text) {
  size_t n = 0;
  while (((const volatile char *)text)[n] != 0) n++;
  return n;
}

/* ---- Texts. ---- */

SLUICE__INLINE sluice_text sluice_view(const void *at, uint32_t length) {
  sluice_text text;
  text.at = (const char *)at;
  text.length = length;
  return text;
}

/* A literal as text: SLUICE_TEXT("application/json"). */
#define SLUICE_TEXT(literal) sluice_view("" literal, (uint32_t)sizeof(literal) - 1)

SLUICE__INLINE bool sluice_equals(sluice_text a, sluice_text b) {
  if (a.length != b.length) return false;
  for (uint32_t i = 0; i < a.length; i++) {
    if (a.at[i] != b.at[i]) return false;
  }
  return true;
}

/* A copy for the life of the instance: for what configure has read, as its text is lent like all else. */
SLUICE__INLINE sluice_text sluice_keep_text(sluice_text text) {
  char *at = (char *)sluice_keep(text.length);
  for (uint32_t i = 0; i < text.length; i++) at[i] = text.at[i];
  return sluice_view(at, text.length);
}

SLUICE__INLINE void sluice__copy(char *to, const char *from, uint32_t n) {
  if (__builtin_constant_p(n)) { __builtin_memcpy(to, from, n); return; }
  if (n > 64) { __builtin_memcpy(to, from, n); return; }
  for (; n >= 8; n -= 8, to += 8, from += 8) __builtin_memcpy(to, from, 8);
  for (; n > 0; n--) *to++ = *from++;
}

/* The text, copied to where results have to lie, unless it lies there already. */
SLUICE__INLINE sluice_text sluice_lend(sluice_text text) {
  uint32_t at = (uint32_t)(uintptr_t)text.at;
  if (text.length == 0 || (at >= sluice__base && at < sluice__next)) return text;
  /* The last constant is remembered: a content type is copied once a call, not once a message. The bytes
     are compared, since a plugin may write anew to a buffer of its own. */
  static struct { uint32_t call; sluice_text to; } last;
  uint32_t same = 0;
  if (last.call == sluice__call && last.to.length == text.length) {
    while (same < text.length && last.to.at[same] == text.at[same]) same++;
  }
  if (same < text.length) {
    char *to = (char *)sluice_allocate(text.length, 1);
    sluice__copy(to, text.at, text.length);
    last.call = sluice__call;
    last.to = sluice_view(to, text.length);
  }
  return last.to;
}

/* Writes a text at the end of the arena; one writer at a time, nothing else allocated in between. */
typedef struct { char *start, *at, *limit; } sluice_writer;

SLUICE__INLINE sluice_writer sluice_begin(void) {
  sluice_writer w;
  w.start = w.at = (char *)sluice_allocate(0, 1);
  w.limit = (char *)(uintptr_t)sluice__limit;
  return w;
}

SLUICE__INLINE sluice_text sluice_end(sluice_writer *w) {
  sluice__next = (uint32_t)(uintptr_t)w->at;
  return sluice_view(w->start, (uint32_t)(w->at - w->start));
}

SLUICE__INLINE void sluice__need(sluice_writer *w, uint32_t bytes) {
  if (__builtin_expect((uint32_t)(w->limit - w->at) >= bytes, 1)) return;
  sluice__next = (uint32_t)(uintptr_t)w->at;
  if (!sluice__grow(bytes)) __builtin_trap();
  w->limit = (char *)(uintptr_t)sluice__limit;
}

SLUICE__INLINE void sluice_put(sluice_writer *w, sluice_text text) {
  sluice__need(w, text.length);
  sluice__copy(w->at, text.at, text.length);
  w->at += text.length;
}

SLUICE__INLINE void sluice_put_char(sluice_writer *w, char c) {
  sluice__need(w, 1);
  *w->at++ = c;
}

SLUICE__INLINE void sluice_put_u32(sluice_writer *w, uint32_t v) {
  sluice__need(w, 10);
  uint32_t digits = 1u + (v > 9) + (v > 99) + (v > 999) + (v > 9999);
  for (uint32_t rest = v / 100000; rest > 0; rest /= 10) digits++;
  char *p = w->at += digits;
  do { *--p = (char)('0' + v % 10); v /= 10; } while (v > 0);
}

SLUICE__FAR char *sluice__digits(char *at, uint64_t v) {
  char text[20];
  int n = 0;
  do { text[n++] = (char)('0' + v % 10); v /= 10; } while (v > 0);
  while (n > 0) *at++ = text[--n];
  return at;
}

SLUICE__INLINE void sluice_put_u64(sluice_writer *w, uint64_t v) {
  sluice__need(w, 20);
  w->at = sluice__digits(w->at, v);
}

SLUICE__INLINE void sluice_put_i64(sluice_writer *w, int64_t v) {
  if (v < 0) sluice_put_char(w, '-');
  sluice_put_u64(w, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* 10^k for k = 0 to 22: exact as double. */
static const double sluice__tens[23] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* a * 10^k, in the one order of operations that every SDK uses. */
SLUICE__INLINE double sluice__scale(double a, int k) {
  for (; k > 22; k -= 22) a *= 1e22;
  for (; k < -22; k += 22) a /= 1e22;
  return k < 0 ? a / sluice__tens[-k] : a * sluice__tens[k];
}

SLUICE__FAR char *sluice__double(char *at, double value, int significant) {
  if (value != value || value - value != 0) { __builtin_memcpy(at, "null", 4); return at + 4; }
  if (value == 0) { *at++ = '0'; return at; }
  if (value < 0) { *at++ = '-'; value = -value; }
  double ceiling = sluice__tens[significant];
  /* floor(log10(value)) from the binary exponent, one too low at times; subnormals are lifted first. */
  int lift = 0;
  if (value < 2.2250738585072014e-308) { value *= 1e22; lift = 22; }
  uint64_t bits;
  __builtin_memcpy(&bits, &value, 8);
  int exponent = ((((int)(bits >> 52) & 0x7ff) - 1023) * 78913) >> 18;
  double scaled = sluice__scale(value, significant - 1 - exponent);
  if (scaled + 0.5 >= ceiling) { exponent++; scaled = sluice__scale(value, significant - 1 - exponent); }
  uint64_t n = (uint64_t)(scaled + 0.5);
  exponent -= lift;
  int length = significant;
  while (length > 1 && n % 10 == 0) { n /= 10; length--; }
  char digits[20];
  sluice__digits(digits, n);
  /* As JavaScript writes numbers (ECMA-262, Number::toString). */
  int point = exponent + 1;
  if (point > 21 || point < -5) {
    *at++ = digits[0];
    if (length > 1) *at++ = '.';
    for (int i = 1; i < length; i++) *at++ = digits[i];
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    return sluice__digits(at, (uint64_t)(exponent < 0 ? -exponent : exponent));
  }
  if (point <= 0) {
    *at++ = '0';
    *at++ = '.';
    for (int i = point; i < 0; i++) *at++ = '0';
  }
  for (int i = 0; i < length; i++) {
    if (i == point && i > 0) *at++ = '.';
    *at++ = digits[i];
  }
  for (int i = length; i < point; i++) *at++ = '0';
  return at;
}

/*
 * A number rounded to `significant` digits (1 to 17), trailing zeros left out, written as JavaScript
 * does: plain from 1e-6 up to below 1e21, else 1.5e-7. NaN and infinities become null. Use 7 for what was a
 * 32-bit float, else 15: 0.1 * 3 is then 0.3. The rule is the same in every SDK, bit by bit.
 */
SLUICE__INLINE void sluice_put_double(sluice_writer *w, double value, int significant) {
  sluice__need(w, 32);
  w->at = sluice__double(w->at, value, significant);
}

/* A text as JSON string, quotes included. */
SLUICE__INLINE void sluice_put_json(sluice_writer *w, sluice_text text) {
  sluice_put_char(w, '"');
  for (uint32_t i = 0; i < text.length; i++) {
    char c = text.at[i];
    if (c == '"' || c == '\\') sluice_put_char(w, '\\');
    if ((unsigned char)c >= 0x20) { sluice_put_char(w, c); continue; }
    sluice_put(w, SLUICE_TEXT("\\u00"));
    sluice_put_char(w, (char)('0' + (c >> 4)));
    sluice_put_char(w, "0123456789abcdef"[c & 15]);
  }
  sluice_put_char(w, '"');
}

/* ---- Big-endian readers; the caller has checked the length. ---- */

SLUICE__INLINE uint32_t sluice_u8(sluice_text t, uint32_t at) { return (uint8_t)t.at[at]; }
SLUICE__INLINE uint32_t sluice_u16(sluice_text t, uint32_t at) { return sluice_u8(t, at) << 8 | sluice_u8(t, at + 1); }
SLUICE__INLINE uint32_t sluice_u32(sluice_text t, uint32_t at) { return sluice_u16(t, at) << 16 | sluice_u16(t, at + 2); }
SLUICE__INLINE uint64_t sluice_u64(sluice_text t, uint32_t at) { return (uint64_t)sluice_u32(t, at) << 32 | sluice_u32(t, at + 4); }
SLUICE__INLINE float sluice_f32(sluice_text t, uint32_t at) {
  uint32_t bits = sluice_u32(t, at);
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

/* ---- Results. ---- */

/* Room for `count` messages one behind the other, each the frame's topic, time and properties with an empty payload. */
SLUICE__INLINE sluice_message *sluice_reply(const sluice_frame *frame, uint32_t count) {
  sluice_message *list = (sluice_message *)sluice_allocate(count * (uint32_t)sizeof(sluice_message), 8);
  for (uint32_t i = 0; i < count; i++) {
    sluice_message *m = list + i;
    m->topic = frame->topic;
    m->payload = sluice_view(0, 0);
    m->timestamp = frame->timestamp;
    m->content_type = sluice_view(0, 0);
    m->qos = 1;
    m->retain = 0;
    m->properties = frame->properties;
  }
  return list;
}

/* The messages as a list; what lies outside of the arena (constants) is copied in. */
SLUICE__INLINE sluice_messages sluice_list(sluice_message *list, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    list[i].topic = sluice_lend(list[i].topic);
    list[i].payload = sluice_lend(list[i].payload);
    list[i].content_type = sluice_lend(list[i].content_type);
  }
  sluice_messages messages;
  messages.at = list;
  messages.count = count;
  return messages;
}

/* Puts one property behind those that the message has. */
SLUICE__INLINE void sluice_add_property(sluice_message *message, sluice_text key, sluice_text value) {
  uint32_t count = message->properties.count;
  sluice_property *list = (sluice_property *)sluice_allocate((count + 1) * (uint32_t)sizeof(sluice_property), 4);
  for (uint32_t i = 0; i < count; i++) list[i] = message->properties.at[i];
  list[count].key = sluice_lend(key);
  list[count].value = sluice_lend(value);
  message->properties.at = list;
  message->properties.count = count + 1;
}

/* This frame became these messages. None is an answer too: the frame is done with. */
SLUICE__INLINE sluice_result sluice_ok(sluice_message *list, uint32_t count) {
  sluice_result result;
  result.failed = 0;
  result.as.ok = sluice_list(list, count);
  return result;
}

/* This frame cannot be converted; the text says what, where and why. */
SLUICE__INLINE sluice_result sluice_fault(sluice_fault_code code, sluice_text text) {
  sluice_result result;
  result.failed = 1;
  result.as.fault.code = (uint8_t)code;
  result.as.fault.text = sluice_lend(text);
  return result;
}

#define SLUICE_CONFIGURED sluice_ok(0, 0)

SLUICE__C __attribute__((import_module("$root"), import_name("log")))
void sluice__log(uint32_t level, const char *at, uint32_t length);

/* A line for the gateway's log. The import exists only in plugins that call this. */
SLUICE__INLINE void sluice_log(sluice_level level, sluice_text text) { sluice__log(level, text.at, text.length); }

/* ---- Exports. ---- */

SLUICE__INLINE void *sluice__result(sluice_result result) {
  sluice_result *at = (sluice_result *)sluice_allocate(sizeof result, 4);
  *at = result;
  return at;
}

typedef struct { const void *at; uint32_t count; } sluice__list;

SLUICE__INLINE sluice__list *sluice__return(const void *list, uint32_t count) {
  sluice__list *at = (sluice__list *)sluice_allocate(sizeof *at, 4);
  at->at = list;
  at->count = count;
  return at;
}

/* For plugins without configuration and without anything held back. */
SLUICE__INLINE sluice_result sluice_no_configure(sluice_text config) { (void)config; return SLUICE_CONFIGURED; }
SLUICE__INLINE sluice_messages sluice_no_flush(uint64_t now) { (void)now; return sluice_list(0, 0); }

/* Exports a converter: convert(const sluice_frame *), configure(sluice_text json), flush(uint64_t now). */
#define SLUICE_CONVERTER(convert_frame, configure_with, flush_at) \
  SLUICE__CONFIGURE(configure_with) \
  SLUICE__EXPORT("convert") void *sluice__convert(const sluice_frame *frames, uint32_t count) { \
    if (count > 0x7fffffu) __builtin_trap(); \
    sluice__list *list = sluice__return(0, count); \
    sluice_result *results = (sluice_result *)sluice_allocate(count * (uint32_t)sizeof(sluice_result), 4); \
    list->at = results; \
    for (uint32_t i = 0; i < count; i++) results[i] = convert_frame(frames + i); \
    return list; \
  } \
  SLUICE__POST("cabi_post_convert", sluice__post_convert) \
  SLUICE__EXPORT("flush") void *sluice__flush(uint64_t now) { \
    sluice_messages messages = flush_at(now); \
    return sluice__return(messages.at, messages.count); \
  } \
  SLUICE__POST("cabi_post_flush", sluice__post_flush)

#define SLUICE__CONFIGURE(configure_with) \
  SLUICE__EXPORT("configure") void *sluice__configure(const char *at, uint32_t length) { \
    return sluice__result(configure_with(sluice_view(at, length))); \
  } \
  SLUICE__POST("cabi_post_configure", sluice__post_configure)

#define SLUICE__POST(name, function) \
  SLUICE__EXPORT(name) void function(void *result) { (void)result; sluice__reset(); }

/* ---- State that outlives a reload. ---- */

/* What export-state gives and import-state is given: the version of its form, and bytes. */
typedef struct { uint32_t version; sluice_text bytes; } sluice_state;
SLUICE__SIZE(sluice_state, 12); SLUICE__AT(sluice_state, bytes, 4);

SLUICE__INLINE void *sluice__state(sluice_state state) {
  sluice_state *at = (sluice_state *)sluice_allocate(sizeof *at, 4);
  state.bytes = sluice_lend(state.bytes);
  *at = state;
  return at;
}

/*
 * Behind SLUICE_CONVERTER or SLUICE_KERNEL, for a plugin whose memory goes on in the next version: sluice_state export(void),
 * sluice_result import(uint32_t version, sluice_text bytes). The old instance exports when it has finished; the new one imports
 * after configure and before its first frame, or answers with a fault and begins anew.
 */
#define SLUICE_STATE(export_with, import_with) \
  SLUICE__EXPORT("export-state") void *sluice__export_state(void) { return sluice__state(export_with()); } \
  SLUICE__POST("cabi_post_export-state", sluice__post_export_state) \
  SLUICE__EXPORT("import-state") void *sluice__import_state(uint32_t version, const char *at, uint32_t length) { \
    return sluice__result(import_with(version, sluice_view(at, length))); \
  } \
  SLUICE__POST("cabi_post_import-state", sluice__post_import_state)

/* ---- Kernels. ---- */

/* A copy of the block's head for `count` floats, and their room, not cleared. */
SLUICE__INLINE sluice_block sluice_samples(const sluice_block *like, uint32_t count, float **room) {
  if (count > 0x3fffffffu) __builtin_trap();
  sluice_block block = *like;
  *room = (float *)sluice_allocate(count * 4, 16);
  block.format = SLUICE_F32;
  block.data = *room;
  block.count = count;
  return block;
}

SLUICE__INLINE sluice_block_result sluice_block_ok(sluice_block block) {
  sluice_block_result result;
  result.failed = 0;
  result.as.block = block;
  return result;
}

SLUICE__INLINE sluice_block_result sluice_block_fault(sluice_errno error) {
  sluice_block_result result;
  result.failed = 1;
  result.as.error = (uint8_t)error;
  return result;
}

typedef struct { const sluice_block *at; uint32_t count; } sluice_blocks;

SLUICE__INLINE sluice_blocks sluice_no_blocks(uint64_t now) {
  sluice_blocks blocks;
  (void)now;
  blocks.at = 0;
  blocks.count = 0;
  return blocks;
}

/* A block as the Canonical ABI hands it over: flat. */
#define SLUICE__BLOCK_PARAMETERS const char *source, uint32_t source_length, const char *topic, uint32_t topic_length, \
  uint64_t timestamp, double rate, uint32_t channels, uint32_t format, const void *data, uint32_t count
#define SLUICE__BLOCK_ARGUMENTS source, source_length, topic, topic_length, timestamp, rate, channels, format, data, count

SLUICE__INLINE void *sluice__process_with(sluice_block_result (*process)(const sluice_block *), SLUICE__BLOCK_PARAMETERS) {
  sluice_block block;
  block.source = sluice_view(source, source_length);
  block.topic = sluice_view(topic, topic_length);
  block.timestamp = timestamp;
  block.rate = rate;
  block.channels = channels;
  block.format = (uint8_t)format;
  block.data = data;
  block.count = count;
  sluice_block_result *at = (sluice_block_result *)sluice_allocate(sizeof *at, 8);
  *at = process(&block);
  return at;
}

/* Exports a kernel: process(const sluice_block *), configure(sluice_text json), flush(uint64_t now). */
#define SLUICE_KERNEL(process_block, configure_with, flush_at) \
  SLUICE__CONFIGURE(configure_with) \
  SLUICE__EXPORT("process") void *sluice__process(SLUICE__BLOCK_PARAMETERS) { \
    return sluice__process_with(process_block, SLUICE__BLOCK_ARGUMENTS); \
  } \
  SLUICE__POST("cabi_post_process", sluice__post_process) \
  SLUICE__EXPORT("flush") void *sluice__flush(uint64_t now) { \
    sluice_blocks blocks = flush_at(now); \
    return sluice__return(blocks.at, blocks.count); \
  } \
  SLUICE__POST("cabi_post_flush", sluice__post_flush)

#endif
