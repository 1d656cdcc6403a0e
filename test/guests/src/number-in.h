// The number behind the first `key` in a JSON text; enough for the configurations of the test guests.
#ifndef NUMBER_IN_H
#define NUMBER_IN_H
#include "sluice.h"

static inline double number_in(sluice_text json, sluice_text key, double otherwise) {
  for (uint32_t i = 0; i + key.length <= json.length; i++) {
    uint32_t n = 0;
    while (n < key.length && json.at[i + n] == key.at[n]) n++;
    if (n < key.length) continue;
    double value = 0, place = 0, sign = 1;
    for (i += n; i < json.length; i++) {
      char c = json.at[i];
      if (c == '-') sign = -1;
      else if (c == '.') place = 1;
      else if (c >= '0' && c <= '9') { value = value * 10 + (c - '0'); place *= 10; }
      else if (c != ' ') break;
    }
    return sign * (place > 0 ? value / place : value);
  }
  return otherwise;
}

#endif
