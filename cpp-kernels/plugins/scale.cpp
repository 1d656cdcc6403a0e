// The plugin `scale`: gain and offset, bounds, and a deadband, in this order, each where it is asked for.
#include "scale.h"

#include "clamp.h"
#include "deadband.h"
#include "handover.h"
#include "per-channel.h"
#include "reader.h"

static PerChannel gain, offset, least, most, band;
static Reader reader;
static Streams streams;

static int open(Stream *stream) {
  uint32_t bytes = sluice_kernel_deadband_bytes(stream->channels);
  void *block = streams.block(stream, 0, bytes);
  if (!band.fill(stream->channels, 0)) return SLUICE_KERNEL_EINVAL;
  return block == nullptr ? SLUICE_KERNEL_ENOMEM : sluice_kernel_deadband_init(block, bytes, stream->channels, band.values);
}

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("gain"))) gain.read(&settings);
    else if (settings.is(SLUICE_TEXT("offset"))) offset.read(&settings);
    else if (settings.is(SLUICE_TEXT("least"))) least.read(&settings);
    else if (settings.is(SLUICE_TEXT("most"))) most.read(&settings);
    else if (settings.is(SLUICE_TEXT("deadband"))) band.read(&settings);
    else if (!streams.takes(&settings) && !reader.takes(&settings)) settings.unknown();
  }
  for (uint32_t i = 0; i < band.count; i++) {
    if (!(band.list[i] >= 0)) settings.refuse(SLUICE_TEXT("deadband is below 0"));
  }
  for (uint32_t i = 0; i < PerChannel::MOST; i++) {
    bool both = (i < least.count || least.count == 1) && (i < most.count || most.count == 1);
    if (both && least.list[least.count == 1 ? 0 : i] > most.list[most.count == 1 ? 0 : i]) settings.refuse(SLUICE_TEXT("least is above most"));
  }
  if (band.count > 0) streams.reserve(&settings, sluice_kernel_deadband_bytes(1), open);
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  uint32_t channels = samples.channels, frames = samples.frames;
  float infinite = __builtin_inff();
  bool fit = gain.fill(channels, 1) && offset.fill(channels, 0) && least.fill(channels, -infinite) && most.fill(channels, infinite) && band.fill(channels, 0);
  if (!fit) return sluice_block_fault(SLUICE_EINVAL);
  float *out;
  sluice_block result = results_like(block, frames, channels, samples.rate, &out);
  if (int wrong = sluice_kernel_scale(samples.at, frames, channels, gain.values, offset.values, out)) return answer_of(wrong, result);
  if (least.count + most.count > 0) {
    if (int wrong = sluice_kernel_clamp(out, frames, channels, least.values, most.values, out)) return answer_of(wrong, result);
  }
  if (band.count == 0) return sluice_block_ok(result);
  Stream *stream = streams.of(block->source, block->topic, channels, samples.rate);
  if (stream == nullptr) return sluice_block_fault(streams.wrong);
  stream->timestamp = block->timestamp;
  uint32_t passed;
  if (int wrong = sluice_kernel_deadband(stream->blocks[0], out, frames, out, &passed)) return answer_of(wrong, result);
  // Where nothing has moved there is nothing to tell.
  if (passed == 0) result.count = 0;
  return sluice_block_ok(result);
}

static sluice_state save() { return save_of(streams); }
static sluice_result load(uint32_t version, sluice_text state) { return band.count > 0 ? load_into(streams, version, state) : SLUICE_CONFIGURED; }

SLUICE_KERNEL(process, configure, sluice_no_blocks)
SLUICE_STATE(save, load)
