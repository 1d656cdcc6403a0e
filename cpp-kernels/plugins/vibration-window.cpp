// The plugin `vibration-window`: raw samples to windows of a whole power of two, for `fft` and `tones` behind it. A block that
// completes several windows gives them one behind the other.
#include "windowed.h"

static Windowed windows;

static int open(Stream *stream) { return windows.open(stream); }

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("size"))) windows.size = settings.whole(4, 65536);
    else if (!windows.takes(&settings)) settings.unknown();
  }
  if (windows.size == 0) settings.refuse(SLUICE_TEXT("size is missing: the number of samples of a window"));
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
  // Room for as many windows as there are, which is seldom the most there could be.
  auto *head = static_cast<sluice_kernel_state *>(stream->blocks[0]);
  auto *held = part_of<uint32_t>(head, head->memory);
  uint32_t have = (held[2] != 0 ? (windows.hop < windows.size ? windows.size - windows.hop : 0) : held[0]) + samples.frames;
  uint32_t most = have < windows.size ? 0 : (have - windows.size) / windows.hop + 1;
  float *out;
  sluice_block result = results_like(block, most * windows.size, samples.channels, samples.rate, &out);
  result.count = 0;
  int wrong = windows.each(stream, samples, [&](const float *columns) {
    sluice_kernel_rows(columns, windows.size, samples.channels, out + result.count);
    result.count += windows.size * samples.channels;
  });
  return answer_of(wrong, result);
}

// What is held, and zeros up to a whole window.
static sluice_blocks flush(uint64_t) {
  return windows.rest([](const Stream &stream, uint32_t frames, const float *columns) {
    sluice_block like = {};
    float *out;
    sluice_block result = results_like(&like, windows.size, stream.channels, stream.rate, &out);
    for (uint32_t i = 0; i < windows.size; i++) {
      for (uint32_t c = 0; c < stream.channels; c++) out[i * stream.channels + c] = i < frames ? columns[c * windows.size + i] : 0;
    }
    return result;
  });
}

static sluice_state save() { return save_of(windows.streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(windows.streams, version, state); }

SLUICE_KERNEL(process, configure, flush)
SLUICE_STATE(save, load)
