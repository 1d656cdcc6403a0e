// Reads its configuration {"scale": number, "prefix": text, "strict": flag, "points": [{"at": whole, "label": text}]} and
// writes it as properties; the payload, any JSON, comes back without white space. Also C.
#include "sluice-json.h"
#include "sluice.h"

typedef struct { int64_t at; sluice_text label; } point;

static double scale = 1;
static sluice_text prefix;
static bool strict;
static point points[8];
static uint32_t point_count;

static sluice_result refuse(sluice_text why, uint32_t at) {
  sluice_writer w = sluice_begin();
  sluice_put(&w, why);
  sluice_put(&w, SLUICE_TEXT(" at byte "));
  sluice_put_u32(&w, at);
  return sluice_fault(SLUICE_CONFIGURATION, sluice_end(&w));
}

static void read_point(sluice_json *json) {
  point *to = points + point_count++;
  sluice_json value;
  if (!sluice_json_find(json, SLUICE_TEXT("at"), &value)) json->failed = true;
  else to->at = sluice_json_whole(&value, -1, 65535);
  if (value.failed) *json = value;
  if (sluice_json_find(json, SLUICE_TEXT("label"), &value)) to->label = sluice_keep_text(sluice_json_string(&value));
  sluice_json_skip(json);
}

static sluice_result configure(sluice_text config) {
  sluice_json json = sluice_json_open(config);
  sluice_json_object(&json);
  while (sluice_json_next(&json)) {
    sluice_text key = sluice_json_key(&json);
    if (sluice_equals(key, SLUICE_TEXT("scale"))) scale = sluice_json_number(&json);
    else if (sluice_equals(key, SLUICE_TEXT("prefix"))) prefix = sluice_keep_text(sluice_json_string(&json));
    else if (sluice_equals(key, SLUICE_TEXT("strict"))) strict = sluice_json_bool(&json);
    else if (sluice_equals(key, SLUICE_TEXT("points"))) {
      sluice_json_array(&json);
      while (sluice_json_next(&json)) {
        if (point_count == 8) return refuse(SLUICE_TEXT("too many points"), sluice_json_at(&json));
        read_point(&json);
      }
    } else return refuse(SLUICE_TEXT("unknown key"), sluice_json_at(&json));
  }
  return sluice_json_end(&json) ? SLUICE_CONFIGURED : refuse(SLUICE_TEXT("bad configuration"), sluice_json_at(&json));
}

// Reading a string may allocate, so nothing is written while the text is read: it becomes pieces first.
typedef struct { sluice_text text; bool quoted; } piece;
static piece pieces[4096];
static uint32_t piece_count;

static void add(sluice_text text, bool quoted) {
  if (piece_count == 4096) __builtin_trap();
  pieces[piece_count].text = text;
  pieces[piece_count++].quoted = quoted;
}

static sluice_text number_text(double value) {
  sluice_writer w = sluice_begin();
  sluice_put_double(&w, value, 15);
  return sluice_end(&w);
}

static void read_value(sluice_json *json);

static void read_items(sluice_json *json, bool members) {
  for (bool first = true; sluice_json_next(json); first = false) {
    if (!first) add(SLUICE_TEXT(","), false);
    if (members) {
      add(sluice_json_key(json), true);
      add(SLUICE_TEXT(":"), false);
    }
    read_value(json);
  }
}

static void read_value(sluice_json *json) {
  switch (sluice_json_what(json)) {
    case SLUICE_JSON_OBJECT:
      add(SLUICE_TEXT("{"), false);
      sluice_json_object(json);
      read_items(json, true);
      add(SLUICE_TEXT("}"), false);
      break;
    case SLUICE_JSON_ARRAY:
      add(SLUICE_TEXT("["), false);
      sluice_json_array(json);
      read_items(json, false);
      add(SLUICE_TEXT("]"), false);
      break;
    case SLUICE_JSON_STRING: add(sluice_json_string(json), true); break;
    case SLUICE_JSON_NUMBER: add(number_text(sluice_json_number(json)), false); break;
    case SLUICE_JSON_BOOL: add(sluice_json_bool(json) ? SLUICE_TEXT("true") : SLUICE_TEXT("false"), false); break;
    default:
      sluice_json_null(json);
      add(SLUICE_TEXT("null"), false);
  }
}

static sluice_text label_text(const point *of) {
  sluice_writer w = sluice_begin();
  sluice_put_i64(&w, of->at);
  sluice_put(&w, SLUICE_TEXT(" "));
  sluice_put(&w, of->label);
  return sluice_end(&w);
}

static sluice_result convert(const sluice_frame *frame) {
  sluice_json json = sluice_json_open(frame->payload), skipped = json;
  piece_count = 0;
  read_value(&json);
  // Stepping over a value finds the same mistakes as reading it.
  sluice_json_skip(&skipped);
  if (sluice_json_end(&json) != sluice_json_end(&skipped)) return sluice_fault(SLUICE_INTERNAL, SLUICE_TEXT("skip"));
  if (json.failed) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("no JSON"));
  sluice_message *message = sluice_reply(frame, 1);
  sluice_add_property(message, SLUICE_TEXT("scale"), number_text(scale));
  sluice_add_property(message, SLUICE_TEXT("prefix"), prefix);
  sluice_add_property(message, SLUICE_TEXT("strict"), strict ? SLUICE_TEXT("yes") : SLUICE_TEXT("no"));
  for (uint32_t i = 0; i < point_count; i++) sluice_add_property(message, SLUICE_TEXT("point"), label_text(points + i));
  sluice_writer w = sluice_begin();
  for (uint32_t i = 0; i < piece_count; i++) {
    if (pieces[i].quoted) sluice_put_json(&w, pieces[i].text);
    else sluice_put(&w, pieces[i].text);
  }
  message->payload = sluice_end(&w);
  return sluice_ok(message, 1);
}

SLUICE_CONVERTER(convert, configure, sluice_no_flush)
