// The plugin `resample`: another sample rate.
#include "resample.h"

#include "handover.h"
#include "reader.h"

// Either a fraction, or the rate that is to come out.
static uint32_t up, down, zeros = 16;
static double wanted;
static Reader reader;
static Streams streams;

// wanted / rate as a fraction of whole numbers up to 1,024: by Stern and Brocot's tree, which has each of them.
static bool fraction_of(double ratio, uint32_t *above, uint32_t *below) {
  uint32_t low_above = 0, low_below = 1, high_above = 1, high_below = 0;
  for (;;) {
    uint32_t a = low_above + high_above, b = low_below + high_below;
    if (a > SLUICE_KERNEL_RATE_MAX || b > SLUICE_KERNEL_RATE_MAX) return false;
    double off = ratio * b - a;
    if (off < 1e-9 * a && off > -1e-9 * a) {
      *above = a;
      *below = b;
      return true;
    }
    if (off > 0) {
      low_above = a;
      low_below = b;
    } else {
      high_above = a;
      high_below = b;
    }
  }
}

static int open(Stream *stream) {
  uint32_t above = up, below = down;
  if (wanted > 0) {
    if (stream->rate == 0) {
      streams.tell(stream, SLUICE_TEXT("to come to a rate, resample has to know the one that comes in: the setting rate, here or in the plugin in front"));
      return SLUICE_KERNEL_EINVAL;
    }
    if (!fraction_of(wanted / stream->rate, &above, &below)) {
      streams.tell(stream, SLUICE_TEXT("the two rates are no fraction of whole numbers up to 1024"));
      return SLUICE_KERNEL_EDOM;
    }
  }
  uint32_t bytes = sluice_kernel_resample_bytes(above, below, zeros, stream->channels);
  void *block = streams.block(stream, 0, bytes);
  return block == nullptr ? SLUICE_KERNEL_ENOMEM : sluice_kernel_resample_init(block, bytes, above, below, zeros, stream->channels);
}

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("to"))) wanted = settings.number(1e-6, 1e9);
    else if (settings.is(SLUICE_TEXT("up"))) up = settings.whole(1, SLUICE_KERNEL_RATE_MAX);
    else if (settings.is(SLUICE_TEXT("down"))) down = settings.whole(1, SLUICE_KERNEL_RATE_MAX);
    else if (settings.is(SLUICE_TEXT("zeros"))) zeros = settings.whole(4, 64);
    else if (!streams.takes(&settings) && !reader.takes(&settings)) settings.unknown();
  }
  if ((wanted > 0) == (up + down > 0)) settings.refuse(SLUICE_TEXT("either to (the rate that comes out), or up and down have to be there"));
  if (up == 0) up = 1;
  if (down == 0) down = 1;
  streams.reserve(&settings, wanted > 0 ? 1 : sluice_kernel_resample_bytes(up, down, zeros, 1), open);
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  Samples samples = reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  Stream *stream = streams.of(block->source, block->topic, samples.channels, samples.rate);
  if (stream == nullptr) return sluice_block_fault(streams.wrong);
  stream->timestamp = block->timestamp;
  uint32_t room, written;
  if (int wrong = sluice_kernel_resample_room(stream->blocks[0], samples.frames, &room)) return answer_of(wrong, *block);
  auto *head = static_cast<sluice_kernel_state *>(stream->blocks[0]);
  float *out;
  sluice_block result = results_like(block, room, samples.channels, samples.rate * head->shape[0] / head->shape[1], &out);
  return answer_of(sluice_kernel_resample(stream->blocks[0], samples.at, samples.frames, out, room, &written), result);
}

static sluice_state save() { return save_of(streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(streams, version, state); }

SLUICE_KERNEL(process, configure, sluice_no_blocks)
SLUICE_STATE(save, load)
