// A kernel: samples times {"gain": 2.5}.
#include "number-in.h"
#include "sluice.h"

static float gain = 1;

static sluice_result configure(sluice_text config) {
  gain = static_cast<float>(number_in(config, SLUICE_TEXT("\"gain\":"), 1));
  return SLUICE_CONFIGURED;
}

static sluice_block_result process(const sluice_block *block) {
  if (block->format != SLUICE_F32 || block->channels == 0) return sluice_block_fault(SLUICE_EINVAL);
  float *out;
  sluice_block result = sluice_samples(block, block->count, &out);
  const float *in = static_cast<const float *>(block->data);
  for (uint32_t i = 0; i < block->count; i++) out[i] = in[i] * gain;
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
