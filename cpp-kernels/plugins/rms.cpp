// The plugin `rms`: the root mean square of windows of samples, which may span blocks.
#include "rms.h"

#include "windowed.h"

static Windowed windows;

static int open(Stream *stream) { return windows.open(stream); }

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("window"))) windows.size = settings.whole(1, SLUICE_KERNEL_WINDOW_MAX);
    else if (!windows.takes(&settings)) settings.unknown();
  }
  if (windows.size == 0) settings.refuse(SLUICE_TEXT("window is missing: the number of samples of a window"));
  if (windows.hop == 0) windows.hop = windows.size;
  windows.streams.reserve(&settings, sluice_kernel_window_bytes(windows.size, 1), open);
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = windows.reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  Stream *stream = windows.streams.of(block->source, block->topic, samples.channels, samples.rate);
  if (stream == nullptr) return sluice_block_fault(windows.streams.wrong);
  stream->timestamp = block->timestamp;
  float *out;
  sluice_block result = results_like(block, windows.most(samples.frames), samples.channels, samples.rate / windows.hop, &out);
  result.count = 0;
  int wrong = windows.each(stream, samples, [&](const float *columns) {
    for (uint32_t c = 0; c < samples.channels; c++) out[result.count++] = rms_of(columns + c * windows.size, windows.size);
  });
  return answer_of(wrong, result);
}

static sluice_blocks flush(uint64_t) {
  return windows.rest([](const Stream &stream, uint32_t frames, const float *columns) {
    sluice_block like = {};
    float *out;
    sluice_block result = results_like(&like, 1, stream.channels, stream.rate / windows.hop, &out);
    for (uint32_t c = 0; c < stream.channels; c++) out[c] = rms_of(columns + c * windows.size, frames);
    return result;
  });
}

static sluice_state save() { return save_of(windows.streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(windows.streams, version, state); }

SLUICE_KERNEL(process, configure, flush)
SLUICE_STATE(save, load)
