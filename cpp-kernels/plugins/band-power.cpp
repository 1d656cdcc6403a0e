// The plugin `band-power`: spectra (of fft) to the power in a few bands.
#include "bands.h"
#include "columns.h"
#include "reader.h"

static Bands bands;
static uint32_t size;

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("size"))) size = settings.whole(4, 65536);
    else if (!bands.takes(&settings)) settings.unknown();
  }
  if (size == 0) settings.refuse(SLUICE_TEXT("size is missing: the number of samples of a window, as fft has it"));
  if (bands.count == 0) settings.refuse(SLUICE_TEXT("bands is missing: a list of [from, to] in Hz"));
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = samples_of(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  uint32_t bins = size / 2 + 1, channels = samples.channels;
  if (!(samples.rate > 0)) {
    tell_once(SLUICE_TEXT("bands are in Hz: the sample rate has to be known, by the setting rate of the plugin that reads the samples"));
    return sluice_block_fault(SLUICE_EINVAL);
  }
  if (samples.frames % bins != 0) return sluice_block_fault(SLUICE_EINVAL);
  float *out;
  sluice_block result = results_like(block, samples.frames / bins, channels * bands.count, 0, &out);
  auto *columns = static_cast<float *>(sluice_allocate(bins * channels * 4, 16));
  for (uint32_t first = 0; first < samples.frames; first += bins) {
    to_columns(samples.at + first * channels, bins, channels, columns, bins);
    for (uint32_t c = 0; c < channels; c++, out += bands.count) bands.write(columns + c * bins, bins, 1 / samples.rate, out);
  }
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
