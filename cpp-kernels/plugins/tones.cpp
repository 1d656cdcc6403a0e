// The plugin `tones`: windows (of vibration-window) to the amplitudes at a few frequencies.
#include "columns.h"
#include "goertzel.h"
#include "reader.h"

static constexpr uint32_t MOST_TONES = 32;
static uint32_t size, count;
static double hertz[MOST_TONES], rate;

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("size"))) size = settings.whole(4, 65536);
    else if (settings.is(SLUICE_TEXT("frequencies"))) count = settings.numbers(hertz, MOST_TONES);
    else if (settings.is(SLUICE_TEXT("rate"))) rate = settings.number(0, 1e9);
    else settings.unknown();
  }
  if (size == 0) settings.refuse(SLUICE_TEXT("size is missing: the number of samples of a window"));
  if (count == 0) settings.refuse(SLUICE_TEXT("frequencies is missing: a list of numbers in Hz"));
  for (uint32_t i = 0; i < count; i++) {
    if (!(hertz[i] >= 0)) settings.refuse(SLUICE_TEXT("a frequency is below 0"));
  }
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = samples_of(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  double per_second = samples.rate > 0 ? samples.rate : rate;
  double frequencies[MOST_TONES];
  for (uint32_t i = 0; i < count; i++) {
    frequencies[i] = hertz[i] / per_second;
    if (frequencies[i] <= 0.5) continue;
    tell_once(SLUICE_TEXT("frequencies have to be below half of the sample rate, and that has to be known: the setting rate"));
    return sluice_block_fault(SLUICE_EDOM);
  }
  uint32_t channels = samples.channels;
  if (samples.frames % size != 0) return sluice_block_fault(SLUICE_EINVAL);
  float *out;
  sluice_block result = results_like(block, samples.frames / size, channels * count, 0, &out);
  auto *columns = static_cast<float *>(sluice_allocate(size * channels * 4, 16));
  for (uint32_t first = 0; first < samples.frames; first += size) {
    to_columns(samples.at + first * channels, size, channels, columns, size);
    for (uint32_t c = 0; c < channels; c++, out += count) {
      float parts[2 * MOST_TONES];
      if (int wrong = sluice_kernel_goertzel(columns + c * size, size, frequencies, count, parts)) return answer_of(wrong, result);
      for (uint32_t i = 0; i < count; i++) {
        // The mean, at 0 Hz, has no mirror image.
        float scale = (frequencies[i] == 0 ? 1.0f : 2.0f) / static_cast<float>(size);
        out[i] = __builtin_sqrtf(parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]) * scale;
      }
    }
  }
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
