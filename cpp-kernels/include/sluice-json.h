/*
 * sluice-json.h: a pull reader for JSON (RFC 8259) in raw memory, for a plugin's configuration and for payloads. It reads
 * inside of the text only and does not recurse. After the first mistake `failed` stays true, `at` stays where it is, and
 * all calls end at once with nothing: read everything, then ask once.
 *
 *   sluice_json json = sluice_json_open(config);
 *   sluice_json_object(&json);
 *   while (sluice_json_next(&json)) {
 *     sluice_text key = sluice_json_key(&json);
 *     if (sluice_equals(key, SLUICE_TEXT("scale"))) scale = sluice_json_number(&json);
 *     else return ...unknown key...
 *   }
 *   if (!sluice_json_end(&json)) return ...bad at byte sluice_json_at(&json)...
 */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H
#include "sluice.h"

typedef enum {
  SLUICE_JSON_NONE, SLUICE_JSON_OBJECT, SLUICE_JSON_ARRAY, SLUICE_JSON_STRING, SLUICE_JSON_NUMBER, SLUICE_JSON_BOOL,
  SLUICE_JSON_NULL
} sluice_json_kind;

/* Objects and arrays inside each other; deeper is a mistake. */
#define SLUICE_JSON_DEPTH 64

/* A place in a text. Copy it to come back to that place. */
typedef struct {
  const char *start, *at, *end;
  /* Bit i: what is open at depth i is an object. */
  uint64_t objects;
  uint32_t depth;
  /* Something stands in front in the same object or array: a comma has to come. */
  bool behind;
  bool failed;
} sluice_json;

SLUICE__INLINE sluice_json sluice_json_open(sluice_text text) {
  sluice_json json;
  json.start = json.at = text.at;
  json.end = text.at + text.length;
  json.objects = 0;
  json.depth = 0;
  json.behind = json.failed = false;
  return json;
}

/* The byte at which reading stands: of a mistake, its place. */
SLUICE__INLINE uint32_t sluice_json_at(const sluice_json *json) { return (uint32_t)(json->at - json->start); }

/* The next byte that is not white space, 0 at the end and after a mistake. */
SLUICE__FAR char sluice__json_peek(sluice_json *json) {
  if (json->failed) return 0;
  while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t')) json->at++;
  return json->at < json->end ? *json->at : 0;
}

SLUICE__INLINE bool sluice__json_eat(sluice_json *json, char c) {
  if (sluice__json_peek(json) != c) { json->failed = true; return false; }
  json->at++;
  return true;
}

SLUICE__INLINE bool sluice__json_digit(const sluice_json *json) {
  return json->at < json->end && *json->at >= '0' && *json->at <= '9';
}

/* What comes next, without moving. */
SLUICE__FAR sluice_json_kind sluice_json_what(sluice_json *json) {
  char c = sluice__json_peek(json);
  if (c == '{') return SLUICE_JSON_OBJECT;
  if (c == '[') return SLUICE_JSON_ARRAY;
  if (c == '"') return SLUICE_JSON_STRING;
  if (c == 't' || c == 'f') return SLUICE_JSON_BOOL;
  if (c == 'n') return SLUICE_JSON_NULL;
  return c == '-' || (c >= '0' && c <= '9') ? SLUICE_JSON_NUMBER : SLUICE_JSON_NONE;
}

SLUICE__FAR bool sluice__json_into(sluice_json *json, char open) {
  if (!sluice__json_eat(json, open)) return false;
  if (json->depth == SLUICE_JSON_DEPTH) { json->failed = true; return false; }
  uint64_t bit = (uint64_t)1 << json->depth++;
  json->objects = open == '{' ? json->objects | bit : json->objects & ~bit;
  json->behind = false;
  return true;
}

/* Steps into an object; anything else is a mistake. */
SLUICE__INLINE bool sluice_json_object(sluice_json *json) { return sluice__json_into(json, '{'); }
/* Steps into an array. */
SLUICE__INLINE bool sluice_json_array(sluice_json *json) { return sluice__json_into(json, '['); }

/* At one more member or item? False behind the last one, which also leaves the object or array. */
SLUICE__FAR bool sluice_json_next(sluice_json *json) {
  char c = sluice__json_peek(json);
  if (json->depth == 0) json->failed = true;
  if (json->failed) return false;
  bool in_object = (json->objects >> (json->depth - 1)) & 1;
  if (c == (in_object ? '}' : ']')) {
    json->at++;
    json->depth--;
    json->behind = true;
    return false;
  }
  if (json->behind && !sluice__json_eat(json, ',')) return false;
  json->behind = true;
  return true;
}

/* Four hex digits; -1 if they are none. */
SLUICE__FAR int32_t sluice__json_hex(const char *at, const char *end) {
  int32_t code = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = at[i], low = (char)(c | 0x20);
    if (c >= '0' && c <= '9') code = code << 4 | (c - '0');
    else if (low >= 'a' && low <= 'f') code = code << 4 | (low - 'a' + 10);
    else return -1;
  }
  return code;
}

/* The escape at json->at, behind its backslash, as UTF-8 (RFC 3629, section 3): never longer than it was. */
SLUICE__FAR char *sluice__json_escape(sluice_json *json, char *to) {
  static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
  char c = *json->at++;
  for (int i = 0; i < 8; i++) {
    if (c == names[i]) { *to++ = bytes[i]; return to; }
  }
  int32_t code = c == 'u' ? sluice__json_hex(json->at, json->end) : -1;
  if (code >= 0) json->at += 4;
  if (code >= 0xd800 && code < 0xdc00 && json->end - json->at >= 6 && json->at[0] == '\\' && json->at[1] == 'u') {
    int32_t low = sluice__json_hex(json->at + 2, json->end);
    json->at += 6;
    code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
  }
  /* Half of a pair is no character. */
  if (code < 0 || (code >= 0xd800 && code < 0xe000)) { json->failed = true; return to; }
  if (code < 0x80) { *to++ = (char)code; return to; }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *to++ = (char)((0xff00 >> (more + 1) & 0xff) | code >> (6 * more));
  while (more-- > 0) *to++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
  return to;
}

/*
 * A string without its escapes. It points into the text where there are none, else to memory until the next call:
 * sluice_keep_text for longer. While a writer is open, read no strings: they may allocate.
 */
SLUICE__FAR sluice_text sluice_json_string(sluice_json *json) {
  if (!sluice__json_eat(json, '"')) return sluice_view(0, 0);
  const char *from = json->at, *close = from;
  bool plain = true;
  for (; close < json->end && *close != '"'; close++) {
    if ((unsigned char)*close < 0x20) break;
    if (*close != '\\') continue;
    plain = false;
    if (++close >= json->end) break;
  }
  if (close >= json->end || *close != '"') {
    json->at = close < json->end ? close : json->end;
    json->failed = true;
    return sluice_view(0, 0);
  }
  if (plain) {
    json->at = close + 1;
    return sluice_view(from, (uint32_t)(close - from));
  }
  char *room = (char *)sluice_allocate((uint32_t)(close - from), 1), *to = room;
  while (json->at < close && !json->failed) {
    char c = *json->at++;
    if (c == '\\') to = sluice__json_escape(json, to);
    else *to++ = c;
  }
  if (json->failed) return sluice_view(0, 0);
  json->at = close + 1;
  return sluice_view(room, (uint32_t)(to - room));
}

/* The key of a member; its value comes next. */
SLUICE__INLINE sluice_text sluice_json_key(sluice_json *json) {
  sluice_text key = sluice_json_string(json);
  sluice__json_eat(json, ':');
  return key;
}

/* A number; 0 after a mistake. Exact for up to 15 digits and powers of ten up to 22, else off in the last places. */
SLUICE__FAR double sluice_json_number(sluice_json *json) {
  if (sluice_json_what(json) != SLUICE_JSON_NUMBER) { json->failed = true; return 0; }
  bool negative = *json->at == '-';
  if (negative) json->at++;
  uint64_t mantissa = 0;
  int32_t exponent = 0, power = 0;
  /* No digit, or one behind a leading zero. */
  bool bad = !sluice__json_digit(json);
  const char *first = json->at;
  for (int part = 0; part < 2 && !bad; part++) {
    for (; sluice__json_digit(json); json->at++) {
      if (mantissa < 1000000000000000000u) {
        mantissa = mantissa * 10 + (uint64_t)(*json->at - '0');
        exponent -= part;
      } else {
        exponent += 1 - part;
      }
    }
    if (part == 0) {
      bad = *first == '0' && json->at - first > 1;
      if (json->at == json->end || *json->at != '.') break;
      json->at++;
      bad = bad || !sluice__json_digit(json);
    }
  }
  if (!bad && json->at < json->end && (*json->at | 0x20) == 'e') {
    json->at++;
    bool minus = json->at < json->end && *json->at == '-';
    if (json->at < json->end && (minus || *json->at == '+')) json->at++;
    bad = !sluice__json_digit(json);
    for (; sluice__json_digit(json); json->at++) {
      if (power < 9999) power = power * 10 + (*json->at - '0');
    }
    exponent += minus ? -power : power;
  }
  if (bad) { json->failed = true; return 0; }
  if (mantissa == 0) exponent = 0;
  double value = sluice__scale((double)mantissa, exponent > 400 ? 400 : exponent < -400 ? -400 : exponent);
  return negative ? -value : value;
}

/* A whole number from `least` to `most`; anything else is a mistake, at the number. */
SLUICE__FAR int64_t sluice_json_whole(sluice_json *json, int64_t least, int64_t most) {
  sluice__json_peek(json);
  const char *at = json->at;
  double value = sluice_json_number(json);
  if (!json->failed && value >= (double)least && value <= (double)most && value == (double)(int64_t)value) return (int64_t)value;
  if (!json->failed) json->at = at;
  json->failed = true;
  return 0;
}

SLUICE__FAR bool sluice__json_word(sluice_json *json, sluice_text word) {
  sluice__json_peek(json);
  bool same = !json->failed && (uint32_t)(json->end - json->at) >= word.length &&
    sluice_equals(sluice_view(json->at, word.length), word);
  if (same) json->at += word.length;
  else json->failed = true;
  return same;
}

/* true or false. */
SLUICE__INLINE bool sluice_json_bool(sluice_json *json) {
  if (sluice__json_peek(json) == 't') return sluice__json_word(json, SLUICE_TEXT("true"));
  sluice__json_word(json, SLUICE_TEXT("false"));
  return false;
}

/* null. */
SLUICE__INLINE void sluice_json_null(sluice_json *json) { sluice__json_word(json, SLUICE_TEXT("null")); }

/* Steps over a value of any kind, which is read to its end. */
SLUICE__FAR void sluice_json_skip(sluice_json *json) {
  uint32_t depth = json->depth;
  do {
    bool opened = false;
    switch (sluice_json_what(json)) {
      case SLUICE_JSON_OBJECT: opened = sluice_json_object(json); break;
      case SLUICE_JSON_ARRAY: opened = sluice_json_array(json); break;
      case SLUICE_JSON_STRING: sluice_json_string(json); break;
      case SLUICE_JSON_NUMBER: sluice_json_number(json); break;
      case SLUICE_JSON_BOOL: sluice_json_bool(json); break;
      case SLUICE_JSON_NULL: sluice_json_null(json); break;
      default: json->failed = true;
    }
    /* To the next value, leaving what has ended. */
    while (!json->failed && (opened || json->depth > depth)) {
      if (sluice_json_next(json)) {
        if ((json->objects >> (json->depth - 1)) & 1) sluice_json_key(json);
        break;
      }
      opened = false;
    }
  } while (!json->failed && json->depth > depth);
}

/*
 * Looks for a key in the object that comes next, without moving `json`. Found: `value` stands at its value. If a key comes
 * twice, the first counts. A mistake on the way is left for whoever reads the object to its end: here it is "not found".
 */
SLUICE__FAR bool sluice_json_find(const sluice_json *json, sluice_text key, sluice_json *value) {
  sluice_json copy = *json;
  if (!sluice_json_object(&copy)) return false;
  while (sluice_json_next(&copy)) {
    bool found = sluice_equals(sluice_json_key(&copy), key) && !copy.failed;
    if (found) { *value = copy; return true; }
    sluice_json_skip(&copy);
  }
  return false;
}

/* True if nothing was wrong and the text is read to its end. */
SLUICE__INLINE bool sluice_json_end(sluice_json *json) {
  if (sluice__json_peek(json) != 0 || json->at < json->end || json->depth > 0) json->failed = true;
  return !json->failed;
}

#endif
