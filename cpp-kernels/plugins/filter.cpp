// The plugin `filter`: taps, sections, a moving average, or Butterworth filters and a notch by frequency.
#include "average.h"
#include "biquad.h"
#include "butterworth.h"
#include "fir.h"
#include "handover.h"
#include "reader.h"

static constexpr uint32_t MOST_TAPS = 4096, MOST_SECTIONS = SLUICE_KERNEL_SECTIONS_MAX;

static float *taps;
static uint32_t tap_count, window, section_count, order = 4;
static double sections[5 * MOST_SECTIONS];
// In Hz; 0: not asked for.
static double lowpass, highpass, notch, width = 1;
static Reader reader;
static Streams streams;

static bool is_by_frequency() { return lowpass > 0 || highpass > 0 || notch > 0; }

// The sections for the rate of a stream.
static int design(double rate, double *to, uint32_t *count) {
  uint32_t more = 0;
  *count = 0;
  for (uint32_t is_high = 0; is_high < 2; is_high++) {
    double frequency = is_high != 0 ? highpass : lowpass;
    if (frequency == 0) continue;
    if (int wrong = sluice_kernel_butterworth(is_high, order, frequency / rate, to + 5 * *count, MOST_SECTIONS - *count, &more)) return wrong;
    *count += more;
  }
  if (notch == 0) return SLUICE_KERNEL_OK;
  if (int wrong = sluice_kernel_notch(notch / rate, width / rate, to + 5 * *count, MOST_SECTIONS - *count, &more)) return wrong;
  *count += more;
  return SLUICE_KERNEL_OK;
}

static int open(Stream *stream) {
  double designed[5 * MOST_SECTIONS];
  uint32_t channels = stream->channels, count = section_count;
  if (is_by_frequency()) {
    if (stream->rate == 0) {
      streams.tell(stream, SLUICE_TEXT("a filter by frequency has to know the sample rate: the setting rate, here or in the plugin in front"));
      return SLUICE_KERNEL_EINVAL;
    }
    if (int wrong = design(stream->rate, designed, &count)) {
      streams.tell(stream, SLUICE_TEXT("lowpass, highpass, notch and width have to be below half of the sample rate"));
      return wrong;
    }
  }
  uint32_t bytes = tap_count > 0 ? sluice_kernel_fir_bytes(tap_count, channels) : window > 0 ? sluice_kernel_average_bytes(window, channels)
                                                                                             : sluice_kernel_biquad_bytes(count, channels);
  void *block = streams.block(stream, 0, bytes);
  if (block == nullptr) return SLUICE_KERNEL_ENOMEM;
  if (tap_count > 0) return sluice_kernel_fir_init(block, bytes, taps, tap_count, channels);
  if (window > 0) return sluice_kernel_average_init(block, bytes, window, channels);
  return sluice_kernel_biquad_init(block, bytes, is_by_frequency() ? designed : sections, count, channels);
}

static void read_taps(Settings *settings) {
  auto *list = static_cast<double *>(sluice_keep(MOST_TAPS * 8));
  tap_count = settings->numbers(list, MOST_TAPS);
  taps = static_cast<float *>(sluice_keep(tap_count * 4));
  for (uint32_t i = 0; i < tap_count; i++) taps[i] = static_cast<float>(list[i]);
  if (!are_finite(taps, tap_count)) settings->refuse(SLUICE_TEXT("a tap is too large for a float"));
}

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("taps"))) read_taps(&settings);
    else if (settings.is(SLUICE_TEXT("sections"))) section_count = settings.rows(sections, 5, MOST_SECTIONS);
    else if (settings.is(SLUICE_TEXT("average"))) window = settings.whole(1, 65536);
    else if (settings.is(SLUICE_TEXT("lowpass"))) lowpass = settings.number(1e-6, 1e9);
    else if (settings.is(SLUICE_TEXT("highpass"))) highpass = settings.number(1e-6, 1e9);
    else if (settings.is(SLUICE_TEXT("order"))) order = settings.whole(1, 8);
    else if (settings.is(SLUICE_TEXT("notch"))) notch = settings.number(1e-6, 1e9);
    else if (settings.is(SLUICE_TEXT("width"))) width = settings.number(1e-6, 1e9);
    else if (!streams.takes(&settings) && !reader.takes(&settings)) settings.unknown();
  }
  uint32_t kinds = (tap_count > 0) + (section_count > 0) + (window > 0) + (is_by_frequency() ? 1 : 0);
  if (kinds != 1) settings.refuse(SLUICE_TEXT("one of taps, sections, average, or of lowpass, highpass and notch, has to be there, and no other"));
  // Whether the sections are stable is seen before the first block: a stream of one channel is made and forgotten.
  uint32_t bytes = tap_count > 0 ? sluice_kernel_fir_bytes(tap_count, 1) : window > 0 ? sluice_kernel_average_bytes(window, 1)
                                                                                       : sluice_kernel_biquad_bytes(MOST_SECTIONS, 1);
  streams.reserve(&settings, bytes, open);
  if (section_count > 0 && !settings.failed()) {
    void *trial = sluice_allocate(bytes, 16);
    if (sluice_kernel_biquad_init(trial, bytes, sections, section_count, 1) != SLUICE_KERNEL_OK) {
      settings.refuse(SLUICE_TEXT("sections are five numbers each, b0, b1, b2, a1, a2 (a0 is 1), with their poles inside of the unit circle"));
    }
  }
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
  if (tap_count > 0) return answer_of(sluice_kernel_fir(state, samples.at, samples.frames, out), result);
  if (window > 0) return answer_of(sluice_kernel_average(state, samples.at, samples.frames, out), result);
  return answer_of(sluice_kernel_biquad(state, samples.at, samples.frames, out), result);
}

static sluice_state save() { return save_of(streams); }
static sluice_result load(uint32_t version, sluice_text state) { return load_into(streams, version, state); }

SLUICE_KERNEL(process, configure, sluice_no_blocks)
SLUICE_STATE(save, load)
