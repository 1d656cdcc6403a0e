// A reader for the configuration of a kernel: one flat JSON object of numbers, texts and true or false.
#ifndef CONFIG_H
#define CONFIG_H
#include "sluice.h"

__attribute__((noinline)) static bool same_text(sluice_text a, sluice_text b) {
  if (a.length != b.length) return false;
  for (uint32_t i = 0; i < a.length; i++) {
    if (a.at[i] != b.at[i]) return false;
  }
  return true;
}

// while (config.next()) { config.key, config.kind, config.number ... }  if (config.failed) ...
struct Config {
  enum Kind { NUMBER, TEXT, FLAG };
  bool failed = false;
  sluice_text key = {}, text = {};
  Kind kind = NUMBER;
  double number = 0;
  bool flag = false;

  explicit Config(sluice_text json) : at(json.at), end(json.at + json.length) { failed = !eat('{'); }

  __attribute__((noinline)) bool next() {
    if (failed) return false;
    if (eat('}')) {
      failed = peek() != 0 || at < end;
      return false;
    }
    failed = (began && !eat(',')) || !read_text(&key) || !eat(':') || !read_value();
    began = true;
    return !failed;
  }

  __attribute__((noinline)) bool is(sluice_text name) const { return same_text(key, name); }

  __attribute__((noinline)) bool whole_within(double least, double most) const {
    return kind == NUMBER && number >= least && number <= most && number == static_cast<double>(static_cast<int64_t>(number));
  }

 private:
  const char *at, *end;
  bool began = false;

  // The next byte that is not white space, 0 at the end.
  char peek() {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at < end ? *at : '\0';
  }

  bool eat(char c) {
    if (peek() != c) return false;
    at++;
    return true;
  }

  // Without escapes: no name and no word that a kernel knows has one.
  __attribute__((noinline)) bool read_text(sluice_text *to) {
    if (!eat('"')) return false;
    const char *from = at;
    while (at < end && *at != '"' && *at != '\\') at++;
    *to = sluice_view(from, static_cast<uint32_t>(at - from));
    return at < end && *at++ == '"';
  }

  bool read_word(sluice_text word) {
    if (static_cast<uint32_t>(end - at) < word.length || !same_text(sluice_view(at, word.length), word)) return false;
    at += word.length;
    return true;
  }

  bool read_value() {
    char c = peek();
    kind = c == '"' ? TEXT : c == 't' || c == 'f' ? FLAG : NUMBER;
    if (kind == TEXT) return read_text(&text);
    flag = c == 't';
    if (kind == FLAG) return read_word(flag ? SLUICE_TEXT("true") : SLUICE_TEXT("false"));
    return read_number();
  }

  bool read_number() {
    bool negative = at < end && *at == '-';
    if (negative) at++;
    double value = 0, place = 1;
    uint32_t digits = 0;
    bool fraction = false;
    for (; at < end; at++) {
      if (*at == '.' && !fraction) {
        fraction = true;
        continue;
      }
      if (*at < '0' || *at > '9') break;
      value = value * 10 + (*at - '0');
      if (fraction) place *= 10;
      digits++;
    }
    number = (negative ? -value : value) / place;
    return digits > 0 && digits <= 15;
  }
};

#endif
