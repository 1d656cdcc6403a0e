// The spectrum of one window after the other: plan, taper and room are made once, when the plugin is configured.
#ifndef SPECTRA_H
#define SPECTRA_H
#include "fft.h"
#include "settings.h"
#include "spectrum.h"
#include "taper.h"

struct Spectra {
  uint32_t size = 0, taper = SLUICE_HANN;
  bool is_amplitude = false;

  bool takes(Settings *settings) {
    if (settings->is(SLUICE_TEXT("size"))) {
      size = settings->whole(4, SLUICE_KERNEL_FFT_MAX);
      if ((size & (size - 1)) != 0) settings->refuse(SLUICE_TEXT("size is not a power of two from 4 to 65536"));
    } else if (settings->is(SLUICE_TEXT("taper"))) {
      taper = settings->choice("rectangle|hann|hamming|blackman-harris|flat-top");
    } else {
      return false;
    }
    return true;
  }

  SETTINGS_FAR void prepare(Settings *settings) {
    if (size == 0) settings->refuse(SLUICE_TEXT("size is missing: the number of samples of a window, a power of two"));
    if (settings->failed()) return;
    uint32_t bytes = sluice_kernel_fft_bytes(size);
    plan = sluice_keep(bytes);
    weights = static_cast<float *>(sluice_keep(size * 4));
    tapered = static_cast<float *>(sluice_keep(size * 4));
    room = static_cast<float *>(sluice_keep(size * 4 + 8));
    int wrong = sluice_kernel_fft_init(plan, bytes, size);
    if (wrong == SLUICE_KERNEL_OK) wrong = sluice_kernel_taper(taper, size, weights, sums);
    if (wrong != SLUICE_KERNEL_OK) settings->refuse(SLUICE_TEXT("there is no such transform"));
  }

  uint32_t bins() const { return size / 2 + 1; }

  // Power density (unit^2 / Hz; a cycle a sample is 1 where the rate is not known) or amplitudes of `size` samples, into `bins()`
  // floats that stay until the next call.
  SETTINGS_FAR const float *of(const float *samples, double rate) {
    double scale = is_amplitude ? 2 / sums[0] : 2 / ((rate > 0 ? rate : 1) * sums[1]);
    bool fine = sluice_kernel_multiply(samples, weights, size, tapered) == SLUICE_KERNEL_OK && sluice_kernel_fft(plan, tapered, room) == SLUICE_KERNEL_OK &&
                (is_amplitude ? sluice_kernel_magnitude(room, bins(), scale, room) : sluice_kernel_power(room, bins(), scale, room)) == SLUICE_KERNEL_OK;
    // Buffers and plan are of this plugin.
    if (!fine) __builtin_trap();
    return room;
  }

 private:
  void *plan = nullptr;
  float *weights = nullptr, *tapered = nullptr, *room = nullptr;
  double sums[2] = {1, 1};
};

#endif
