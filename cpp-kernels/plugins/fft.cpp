// The plugin `fft`: windows (of vibration-window) to spectra. A frame of the result is a bin; its rate is bins a hertz.
#include "columns.h"
#include "reader.h"
#include "spectra.h"

static Spectra spectra;
static double rate;

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("output"))) spectra.is_amplitude = settings.choice("density|amplitude") == 1;
    else if (settings.is(SLUICE_TEXT("rate"))) rate = settings.number(0, 1e9);
    else if (!spectra.takes(&settings)) settings.unknown();
  }
  spectra.prepare(&settings);
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = samples_of(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  uint32_t size = spectra.size, channels = samples.channels, bins = spectra.bins();
  if (samples.frames % size != 0) return sluice_block_fault(SLUICE_EINVAL);
  double hertz = samples.rate > 0 ? samples.rate : rate;
  float *out;
  sluice_block result = results_like(block, samples.frames / size * bins, channels, hertz > 0 ? size / hertz : 0, &out);
  auto *columns = static_cast<float *>(sluice_allocate(size * channels * 4, 16));
  for (uint32_t first = 0; first < samples.frames; first += size, out += bins * channels) {
    to_columns(samples.at + first * channels, size, channels, columns, size);
    for (uint32_t c = 0; c < channels; c++) {
      const float *spectrum = spectra.of(columns + c * size, hertz);
      for (uint32_t k = 0; k < bins; k++) out[k * channels + c] = spectrum[k];
    }
  }
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
