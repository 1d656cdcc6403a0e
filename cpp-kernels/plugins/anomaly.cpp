// The plugin `anomaly`: how unusual each value of each channel is, in standard deviations.
#include "ewma.h"
#include "handover.h"
#include "reader.h"
#include "zscore.h"

// By `weight` what was usual is forgotten little by little, by `window` at once.
static double weight, least = 1e-6, threshold;
static uint32_t window, settle = 100;
static Reader reader;
static Streams streams;

static int open(Stream *stream) {
  uint32_t channels = stream->channels, bytes = window > 0 ? sluice_kernel_zscore_bytes(window, channels) : sluice_kernel_ewma_bytes(channels);
  void *block = streams.block(stream, 0, bytes);
  if (block == nullptr) return SLUICE_KERNEL_ENOMEM;
  auto floor = static_cast<float>(least);
  return window > 0 ? sluice_kernel_zscore_init(block, bytes, window, channels, floor) : sluice_kernel_ewma_init(block, bytes, channels, weight, settle, floor);
}

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("weight"))) weight = settings.number(1e-9, 1);
    else if (settings.is(SLUICE_TEXT("settle"))) settle = settings.whole(0, 1000000000);
    else if (settings.is(SLUICE_TEXT("window"))) window = settings.whole(2, 65536);
    else if (settings.is(SLUICE_TEXT("least"))) least = settings.number(1e-30, 1e30);
    else if (settings.is(SLUICE_TEXT("threshold"))) threshold = settings.number(0, 1e30);
    else if (!streams.takes(&settings) && !reader.takes(&settings)) settings.unknown();
  }
  if ((weight > 0) == (window > 0)) settings.refuse(SLUICE_TEXT("either weight or window has to be there: the weight of a sample, or how many samples count"));
  streams.reserve(&settings, window > 0 ? sluice_kernel_zscore_bytes(window, 1) : sluice_kernel_ewma_bytes(1), open);
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  Stream *stream = streams.of(block->source, block->topic, samples.channels, samples.rate);
  if (stream == nullptr) return sluice_block_fault(streams.wrong);
  stream->timestamp = block->timestamp;
  float *out;
  sluice_block result = results_like(block, samples.frames, samples.channels, samples.rate, &out);
  void *state = stream->blocks[0];
  int wrong = window > 0 ? sluice_kernel_zscore(state, samples.at, samples.frames, out) : sluice_kernel_ewma(state, samples.at, samples.frames, out);
  bool stands_out = threshold == 0;
  for (uint32_t i = 0; i < result.count && !stands_out; i++) stands_out = !(__builtin_fabsf(out[i]) < threshold);
  // Where all is as usual there is nothing to tell.
  if (!stands_out) result.count = 0;
  return answer_of(wrong, result);
}

static sluice_state save() { return save_of(streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(streams, version, state); }

SLUICE_KERNEL(process, configure, sluice_no_blocks)
SLUICE_STATE(save, load)
