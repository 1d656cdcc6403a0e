// Bands of frequency, as a configuration has them: [[10, 1000], [1000, 5000]] in Hz.
#ifndef BANDS_H
#define BANDS_H
#include "band-power.h"
#include "settings.h"

struct Bands {
  static constexpr uint32_t MOST = 32;
  double edges[2 * MOST] = {};
  uint32_t count = 0;
  bool is_root = false;

  bool takes(Settings *settings) {
    if (settings->is(SLUICE_TEXT("bands"))) {
      count = settings->rows(edges, 2, MOST);
      for (uint32_t i = 0; i < count; i++) {
        if (!(edges[2 * i] >= 0 && edges[2 * i + 1] > edges[2 * i])) settings->refuse(SLUICE_TEXT("bands are pairs of from and to in Hz, from below to"));
      }
    } else if (settings->is(SLUICE_TEXT("output"))) {
      is_root = settings->choice("power|rms") == 1;
    } else {
      return false;
    }
    return true;
  }

  SETTINGS_FAR void write(const float *density, uint32_t bins, double spacing, float *out) const {
    if (sluice_kernel_band_power(density, bins, spacing, edges, count, out) != SLUICE_KERNEL_OK) __builtin_trap();
    for (uint32_t i = 0; i < count && is_root; i++) out[i] = __builtin_sqrtf(out[i]);
  }
};

#endif
