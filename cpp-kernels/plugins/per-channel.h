// A setting that is one number for all channels, or a list with one for each.
#ifndef PER_CHANNEL_H
#define PER_CHANNEL_H
#include "settings.h"

struct PerChannel {
  static constexpr uint32_t MOST = SLUICE_KERNEL_CHANNELS_MAX;
  uint32_t count = 0;
  double list[MOST] = {};
  float values[MOST] = {};

  SETTINGS_FAR void read(Settings *settings) { count = settings->numbers(list, MOST); }

  // False if there is not one for each channel.
  SETTINGS_FAR bool fill(uint32_t channels, double otherwise) {
    if (count > 1 && count != channels) return false;
    for (uint32_t c = 0; c < channels; c++) values[c] = static_cast<float>(count == 0 ? otherwise : list[count == 1 ? 0 : c]);
    return true;
  }
};

#endif
