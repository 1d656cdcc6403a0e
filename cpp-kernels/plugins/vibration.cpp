// The plugin `vibration`: raw samples to what a maintenance engineer asks for, by several kernels in one module: nothing is
// copied between them, and no window leaves the memory it was collected in. For each window and channel: the features, the
// power of the bands, and how unusual the most unusual of them is.
#include "bands.h"
#include "ewma.h"
#include "figures.h"
#include "spectra.h"
#include "windowed.h"

static Windowed windows;
static Figures figures;
static Spectra spectra;
static Bands bands;
static double weight, least = 1e-6;
static uint32_t settle = 100;

// Numbers of a channel, without and with its score.
static uint32_t values() { return figures.count + bands.count; }
static uint32_t width() { return values() + (weight > 0 ? 1 : 0); }

static int open(Stream *stream) {
  if (bands.count > 0 && !(stream->rate > 0)) {
    windows.streams.tell(stream, SLUICE_TEXT("bands are in Hz: the sample rate has to be known, by the setting rate"));
    return SLUICE_KERNEL_EINVAL;
  }
  if (int wrong = windows.open(stream)) return wrong;
  if (weight == 0) return SLUICE_KERNEL_OK;
  uint32_t series = stream->channels * values(), bytes = sluice_kernel_ewma_bytes(series);
  void *block = windows.streams.block(stream, 1, bytes);
  return block == nullptr ? SLUICE_KERNEL_ENOMEM : sluice_kernel_ewma_init(block, bytes, series, weight, settle, static_cast<float>(least));
}

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("features"))) figures.read(&settings);
    else if (settings.is(SLUICE_TEXT("weight"))) weight = settings.number(1e-9, 1);
    else if (settings.is(SLUICE_TEXT("settle"))) settle = settings.whole(0, 1000000000);
    else if (settings.is(SLUICE_TEXT("least"))) least = settings.number(1e-30, 1e30);
    else if (!spectra.takes(&settings) && !bands.takes(&settings) && !windows.takes(&settings)) settings.unknown();
  }
  if (values() == 0) settings.refuse(SLUICE_TEXT("features or bands have to be there"));
  spectra.prepare(&settings);
  windows.size = spectra.size;
  if (windows.hop == 0) windows.hop = windows.size;
  windows.streams.reserve(&settings, sluice_kernel_window_bytes(windows.size, 1), open);
  return settings.answer();
}

// One window: `out` takes width() numbers for each channel.
static int describe(Stream *stream, const float *columns, float *out) {
  uint32_t channels = stream->channels, size = windows.size, count = values();
  float numbers[SLUICE_KERNEL_CHANNELS_MAX], scores[SLUICE_KERNEL_CHANNELS_MAX];
  for (uint32_t c = 0; c < channels; c++) {
    figures.write(columns + c * size, size, numbers + c * count);
    if (bands.count > 0) bands.write(spectra.of(columns + c * size, stream->rate), spectra.bins(), stream->rate / size, numbers + c * count + figures.count);
  }
  if (weight > 0) {
    if (int wrong = sluice_kernel_ewma(stream->blocks[1], numbers, 1, scores)) return wrong;
  }
  for (uint32_t c = 0; c < channels; c++, out += width()) {
    float most = 0;
    for (uint32_t i = 0; i < count; i++) {
      out[i] = numbers[c * count + i];
      float score = weight > 0 ? __builtin_fabsf(scores[c * count + i]) : 0;
      most = score > most || score != score ? score : most;
    }
    if (weight > 0) out[count] = most;
  }
  return SLUICE_KERNEL_OK;
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = windows.reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  if (samples.channels * width() > SLUICE_KERNEL_CHANNELS_MAX) return sluice_block_fault(SLUICE_ENOSPC);
  Stream *stream = windows.streams.of(block->source, block->topic, samples.channels, samples.rate);
  if (stream == nullptr) return sluice_block_fault(windows.streams.wrong);
  stream->timestamp = block->timestamp;
  uint32_t each = samples.channels * width();
  float *out;
  sluice_block result = results_like(block, windows.most(samples.frames), each, samples.rate / windows.hop, &out);
  result.count = 0;
  int failed = SLUICE_KERNEL_OK;
  int wrong = windows.each(stream, samples, [&](const float *columns) {
    if (failed == SLUICE_KERNEL_OK) failed = describe(stream, columns, out + result.count);
    result.count += each;
  });
  return answer_of(wrong != SLUICE_KERNEL_OK ? wrong : failed, result);
}

static sluice_state save() { return save_of(windows.streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(windows.streams, version, state); }

SLUICE_KERNEL(process, configure, sluice_no_blocks)
SLUICE_STATE(save, load)
