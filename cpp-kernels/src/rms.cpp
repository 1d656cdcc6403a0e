// The kernel `rms` as a plugin: the root mean square of windows of samples, which may span blocks.
// Configuration and errors: ../README.md. One window of samples is kept for each source and topic.
#include "rms.h"

#include "config.h"
#include "samples.h"
#include "sluice.h"
#include "streams.h"

static uint32_t window, hop, skip;
static Input input;
static bool gives_rest;
static Streams streams;

static constexpr uint32_t MOST_STREAMS = 1024;
// Of all windows together: within the memory that a plugin is granted by default.
static constexpr uint64_t MOST_SAMPLES = 1 << 21;

__attribute__((noinline)) static sluice_result refuse(const char *text, uint32_t length) {
  return sluice_fault(SLUICE_CONFIGURATION, sluice_view(text, length));
}
#define REFUSE(text) refuse(text, sizeof(text) - 1)

__attribute__((noinline)) static sluice_result unknown(sluice_text key) {
  sluice_writer w = sluice_begin();
  sluice_put_json(&w, key);
  sluice_put(&w, SLUICE_TEXT(" is not known; known are window, hop, input, skip, streams, flush"));
  return sluice_fault(SLUICE_CONFIGURATION, sluice_end(&w));
}

static sluice_result configure(sluice_text json) {
  window = hop = skip = 0;
  input = INPUT_F32;
  gives_rest = false;
  uint32_t places = 16;
  Config config(json);
  while (config.next()) {
    auto number = static_cast<uint32_t>(config.whole_within(0, 1e9) ? config.number : 0);
    if (config.is(SLUICE_TEXT("window"))) {
      if (!config.whole_within(1, SLUICE_KERNEL_WINDOW_MAX)) return REFUSE("window is not a whole number from 1 to 1048576");
      window = number;
    } else if (config.is(SLUICE_TEXT("hop"))) {
      if (!config.whole_within(1, SLUICE_KERNEL_WINDOW_MAX)) return REFUSE("hop is not a whole number from 1 to 1048576");
      hop = number;
    } else if (config.is(SLUICE_TEXT("skip"))) {
      if (!config.whole_within(0, 65535)) return REFUSE("skip is not a whole number from 0 to 65535");
      skip = number;
    } else if (config.is(SLUICE_TEXT("streams"))) {
      if (!config.whole_within(1, MOST_STREAMS)) return REFUSE("streams is not a whole number from 1 to 1024");
      places = number;
    } else if (config.is(SLUICE_TEXT("flush"))) {
      if (config.kind != Config::FLAG) return REFUSE("flush is not true or false");
      gives_rest = config.flag;
    } else if (config.is(SLUICE_TEXT("input"))) {
      bool is_text = config.kind == Config::TEXT;
      if (is_text && same_text(config.text, SLUICE_TEXT("f32"))) input = INPUT_F32;
      else if (is_text && same_text(config.text, SLUICE_TEXT("u16be"))) input = INPUT_U16BE;
      else if (is_text && same_text(config.text, SLUICE_TEXT("i16be"))) input = INPUT_I16BE;
      else return REFUSE("input is none of \"f32\", \"u16be\", \"i16be\"");
    } else {
      return unknown(config.key);
    }
  }
  if (config.failed) return REFUSE("the configuration is not a flat JSON object");
  if (window == 0) return REFUSE("window is missing: the number of samples of a window");
  if (static_cast<uint64_t>(places) * window > MOST_SAMPLES) return REFUSE("window times streams is more than 2097152 samples");
  if (hop == 0) hop = window;
  streams.reserve(places, window);
  return SLUICE_CONFIGURED;
}

// Samples of the block as floats behind `held` others, or where they lie if they can stay there.
static const float *gather(const unsigned char *from, uint32_t count, const Stream *stream) {
  uint32_t held = stream->held;
  if (input == INPUT_F32 && held == 0) return reinterpret_cast<const float *>(from);
  auto *to = static_cast<float *>(sluice_allocate((held + count) * 4, 16));
  __builtin_memcpy(to, stream->samples, held * 4);
  if (input == INPUT_F32) __builtin_memcpy(to + held, from, count * 4);
  else decode_registers(from, count, input == INPUT_I16BE, to + held);
  return to;
}

static sluice_block_result process(const sluice_block *block) {
  bool is_f32 = block->format == SLUICE_F32;
  if (block->channels != 1 || (is_f32 && input != INPUT_F32)) return sluice_block_fault(SLUICE_EINVAL);
  uint32_t size = input == INPUT_F32 ? 4 : 2;
  // A header is in bytes of a device; what a kernel gave out has none.
  uint32_t header = is_f32 ? 0 : skip;
  uint64_t bytes = is_f32 ? static_cast<uint64_t>(block->count) * 4 : block->count;
  if (bytes < header || (bytes - header) % size != 0 || bytes > 1u << 30) return sluice_block_fault(SLUICE_EINVAL);
  Stream *stream = streams.of(block);
  if (stream == nullptr) return sluice_block_fault(SLUICE_ENOMEM);

  auto *data = static_cast<const unsigned char *>(block->data) + header;
  auto count = static_cast<uint32_t>((bytes - header) / size);
  uint32_t left_out = count < stream->skip ? count : stream->skip;
  stream->skip -= left_out;
  count -= left_out;
  const float *samples = gather(data + left_out * size, count, stream);
  uint32_t total = stream->held + count;
  uint32_t windows = total < window ? 0 : (total - window) / hop + 1;

  float *out;
  sluice_block result = sluice_samples(block, windows, &out);
  if (sluice_kernel_rms(samples, total, window, hop, out, windows, &windows) != SLUICE_KERNEL_OK) {
    return sluice_block_fault(SLUICE_EINVAL);
  }
  uint64_t done = static_cast<uint64_t>(windows) * hop;
  stream->skip += done > total ? static_cast<uint32_t>(done - total) : 0;
  stream->held = done > total ? 0 : total - static_cast<uint32_t>(done);
  __builtin_memcpy(stream->samples, samples + (done > total ? total : done), stream->held * 4);
  stream->timestamp = block->timestamp;
  stream->rate = result.rate = block->rate / hop;
  return sluice_block_ok(result);
}

static sluice_blocks flush(uint64_t) {
  if (!gives_rest) return sluice_no_blocks(0);
  auto *list = static_cast<sluice_block *>(sluice_allocate(streams.count * sizeof(sluice_block), 8));
  uint32_t count = 0;
  for (uint32_t i = 0; i < streams.count; i++) {
    Stream &stream = streams.list[i];
    if (stream.held == 0) continue;
    float *out;
    sluice_block like = {};
    like.channels = 1;
    like.timestamp = stream.timestamp;
    like.rate = stream.rate;
    list[count] = sluice_samples(&like, 1, &out);
    out[0] = rms_of(stream.samples, stream.held);
    list[count].source = sluice_lend(stream.source());
    list[count].topic = sluice_lend(stream.topic());
    count++;
    stream.held = stream.skip = 0;
  }
  return {list, count};
}

SLUICE_KERNEL(process, configure, flush)
