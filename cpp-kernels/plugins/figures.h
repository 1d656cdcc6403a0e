// Single numbers of a window of one channel, by the names that a configuration has for them.
#ifndef FIGURES_H
#define FIGURES_H
#include "crest.h"
#include "kurtosis.h"
#include "settings.h"

struct Figures {
  static constexpr uint32_t MOST = 8;
  uint8_t which[MOST] = {};
  uint32_t count = 0;
  bool needs_spread = false;

  SETTINGS_FAR void read(Settings *settings) {
    count = settings->choices("rms|peak|crest|kurtosis|least|most|mean|deviation", which, MOST);
    for (uint32_t i = 0; i < count; i++) needs_spread = needs_spread || which[i] >= 4;
  }

  SETTINGS_FAR void write(const float *samples, uint32_t size, float *out) const {
    Spread spread = {};
    if (needs_spread) spread = spread_of(samples, size);
    for (uint32_t i = 0; i < count; i++) {
      switch (which[i]) {
        case 0: out[i] = rms_of(samples, size); break;
        case 1: out[i] = peak_of(samples, size); break;
        case 2: out[i] = crest_of(samples, size); break;
        case 3: out[i] = kurtosis_of(samples, size); break;
        case 4: out[i] = spread.least; break;
        case 5: out[i] = spread.most; break;
        case 6: out[i] = spread.mean; break;
        default: out[i] = spread.deviation;
      }
    }
  }
};

#endif
