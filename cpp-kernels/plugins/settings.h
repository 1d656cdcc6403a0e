// A plugin's configuration, one JSON object: what is wrong with it is said by name, with what would be right.
//
//   Settings settings(json);
//   while (settings.next()) {
//     if (settings.is(SLUICE_TEXT("window"))) window = settings.whole(1, 65536);
//     else settings.unknown();
//   }
//   if (settings.failed()) return settings.fault();
#ifndef SETTINGS_H
#define SETTINGS_H
#include "sluice-json.h"

// Out of line: it is not fast that these have to be, but small.
#define SETTINGS_FAR __attribute__((noinline))

class Settings {
 public:
  explicit Settings(sluice_text text) : json(sluice_json_open(text)) { sluice_json_object(&json); }

  SETTINGS_FAR bool next() {
    if (failed() || !sluice_json_next(&json)) return false;
    key = sluice_json_key(&json);
    known = 0;
    return !json.failed;
  }

  SETTINGS_FAR bool is(sluice_text name) {
    names[known++ % MOST_NAMES] = name;
    return sluice_equals(key, name);
  }

  SETTINGS_FAR uint32_t whole(uint32_t least, uint32_t most) {
    double value = plain();
    if (value >= least && value <= most && value == static_cast<double>(static_cast<int64_t>(value))) return static_cast<uint32_t>(value);
    sluice_writer w = begin(SLUICE_TEXT(" is not a whole number from "));
    sluice_put_u32(&w, least);
    sluice_put(&w, SLUICE_TEXT(" to "));
    sluice_put_u32(&w, most);
    refuse(w);
    return least;
  }

  SETTINGS_FAR double number(double least, double most) {
    double value = plain();
    if (value >= least && value <= most) return value;
    sluice_writer w = begin(SLUICE_TEXT(" is not a number from "));
    sluice_put_double(&w, least, 15);
    sluice_put(&w, SLUICE_TEXT(" to "));
    sluice_put_double(&w, most, 15);
    refuse(w);
    return least;
  }

  SETTINGS_FAR bool flag() {
    if (sluice_json_what(&json) == SLUICE_JSON_BOOL) return sluice_json_bool(&json);
    refuse(begin(SLUICE_TEXT(" is not true or false")));
    return false;
  }

  // Of a string; empty if it is something else.
  SETTINGS_FAR sluice_text text() {
    bool is_text = sluice_json_what(&json) == SLUICE_JSON_STRING;
    if (!is_text) refuse(begin(SLUICE_TEXT(" is not a text")));
    return is_text ? sluice_json_string(&json) : sluice_view(&json, 0);
  }

  // Which of some words, divided by bars: "abcd|cdab".
  SETTINGS_FAR uint32_t choice(const char *words) {
    sluice_text text = sluice_json_what(&json) == SLUICE_JSON_STRING ? sluice_json_string(&json) : sluice_view(words, 0);
    uint32_t which = 0;
    for (const char *at = words; text.length > 0 && *at != 0; which++) {
      sluice_text word = word_at(&at);
      if (sluice_equals(word, text)) return which;
    }
    sluice_writer w = begin(SLUICE_TEXT(" is none of "));
    for (const char *at = words; *at != 0;) {
      if (at != words) sluice_put(&w, SLUICE_TEXT(", "));
      sluice_put_json(&w, word_at(&at));
    }
    refuse(w);
    return 0;
  }

  // A list of such words; returns how many.
  SETTINGS_FAR uint32_t choices(const char *words, uint8_t *to, uint32_t most) {
    uint32_t count = 0;
    bool fine = sluice_json_what(&json) == SLUICE_JSON_ARRAY && sluice_json_array(&json);
    while (fine && sluice_json_next(&json)) {
      fine = count < most;
      uint32_t which = choice(words);
      if (fine) to[count++] = static_cast<uint8_t>(which);
    }
    if (!fine || count == 0) refuse(begin(SLUICE_TEXT(" is not a list of words, each once")));
    return count;
  }

  // One number or a list of them; returns how many.
  SETTINGS_FAR uint32_t numbers(double *to, uint32_t most) {
    if (sluice_json_what(&json) == SLUICE_JSON_NUMBER) {
      *to = sluice_json_number(&json);
      return 1;
    }
    uint32_t count = list(to, 0, most);
    if (count == 0) {
      sluice_writer w = begin(SLUICE_TEXT(" is not a number or a list of 1 to "));
      sluice_put_u32(&w, most);
      sluice_put(&w, SLUICE_TEXT(" numbers"));
      refuse(w);
    }
    return count;
  }

  // A list of lists of `width` numbers each; returns how many.
  SETTINGS_FAR uint32_t rows(double *to, uint32_t width, uint32_t most) {
    uint32_t count = 0;
    bool fine = sluice_json_what(&json) == SLUICE_JSON_ARRAY && sluice_json_array(&json);
    while (fine && sluice_json_next(&json)) fine = count < most && list(to + width * count++, width, width) == width;
    if (fine && count > 0 && !json.failed) return count;
    sluice_writer w = begin(SLUICE_TEXT(" is not a list of 1 to "));
    sluice_put_u32(&w, most);
    sluice_put(&w, SLUICE_TEXT(" lists of "));
    sluice_put_u32(&w, width);
    sluice_put(&w, SLUICE_TEXT(" numbers"));
    refuse(w);
    return 0;
  }

  SETTINGS_FAR void unknown() {
    sluice_writer w = sluice_begin();
    sluice_put_json(&w, key);
    sluice_put(&w, SLUICE_TEXT(" is not known; known are "));
    for (uint32_t i = 0; i < known; i++) {
      if (i > 0) sluice_put(&w, SLUICE_TEXT(", "));
      sluice_put(&w, names[i]);
    }
    refuse(w);
  }

  // What no single setting is to blame for.
  SETTINGS_FAR void refuse(sluice_text text) {
    if (why.length == 0) why = text;
  }

  bool failed() const { return why.length > 0; }

  SETTINGS_FAR sluice_result fault() { return sluice_fault(SLUICE_CONFIGURATION, why); }

  // After the last setting: the fault, or that all is well.
  SETTINGS_FAR sluice_result answer() {
    if (!failed() && !sluice_json_end(&json)) why = SLUICE_TEXT("the configuration is not a JSON object");
    return failed() ? fault() : SLUICE_CONFIGURED;
  }

 private:
  static constexpr uint32_t MOST_NAMES = 24;
  sluice_json json;
  sluice_text key = {}, why = {};
  sluice_text names[MOST_NAMES] = {};
  uint32_t known = 0;

  // NaN where there is no number: it is within no bounds.
  double plain() { return sluice_json_what(&json) == SLUICE_JSON_NUMBER ? sluice_json_number(&json) : __builtin_nan(""); }

  // Numbers of a list, 0 if it is none or holds anything else.
  SETTINGS_FAR uint32_t list(double *to, uint32_t least, uint32_t most) {
    uint32_t count = 0;
    bool fine = sluice_json_what(&json) == SLUICE_JSON_ARRAY && sluice_json_array(&json);
    while (fine && sluice_json_next(&json)) {
      fine = count < most && sluice_json_what(&json) == SLUICE_JSON_NUMBER;
      if (fine) to[count++] = sluice_json_number(&json);
    }
    return fine && !json.failed && count >= least ? count : 0;
  }

  sluice_writer begin(sluice_text what) {
    sluice_writer w = sluice_begin();
    sluice_put(&w, key);
    sluice_put(&w, what);
    return w;
  }

  void refuse(sluice_writer w) { refuse(sluice_end(&w)); }

  static sluice_text word_at(const char **at) {
    const char *from = *at, *to = from;
    while (*to != 0 && *to != '|') to++;
    *at = *to == 0 ? to : to + 1;
    return sluice_view(from, static_cast<uint32_t>(to - from));
  }
};

#endif
