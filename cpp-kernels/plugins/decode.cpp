// The plugin `decode`: registers or raw samples to floats, so that kernels can work on them.
#include "decode.h"

#include "reader.h"

static Reader reader;

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (!reader.takes(&settings)) settings.unknown();
  }
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  // Straight into the room of the result.
  if (block->format == SLUICE_F32) return sluice_block_fault(SLUICE_EINVAL);
  Samples samples = reader.read(block);
  if (samples.at == nullptr) return sluice_block_fault(samples.wrong);
  sluice_block result = *block;
  result.format = SLUICE_F32;
  result.channels = samples.channels;
  result.rate = samples.rate;
  result.data = samples.at;
  result.count = samples.count();
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
