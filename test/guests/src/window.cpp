// A kernel that holds back: two blocks become one of their length together; flush gives out a single one.
#include "sluice.h"

static constexpr uint32_t MOST = 65536;
static float held[MOST];
static char names[512];
static sluice_block waiting;
static bool holds;

static sluice_text keep_name(sluice_text text, char *room) {
  uint32_t length = text.length < 256 ? text.length : 256;
  for (uint32_t i = 0; i < length; i++) room[i] = text.at[i];
  return sluice_view(room, length);
}

static sluice_block give_out(uint32_t extra, float **rest) {
  float *out;
  sluice_block block = sluice_samples(&waiting, waiting.count + extra, &out);
  for (uint32_t i = 0; i < waiting.count; i++) out[i] = held[i];
  *rest = out + waiting.count;
  block.source = sluice_lend(waiting.source);
  block.topic = sluice_lend(waiting.topic);
  holds = false;
  return block;
}

static sluice_block_result process(const sluice_block *block) {
  if (block->format != SLUICE_F32 || block->channels == 0) return sluice_block_fault(SLUICE_EINVAL);
  if (block->count > MOST) return sluice_block_fault(SLUICE_ENOSPC);
  const float *in = static_cast<const float *>(block->data);
  if (holds) {
    float *rest;
    sluice_block both = give_out(block->count, &rest);
    for (uint32_t i = 0; i < block->count; i++) rest[i] = in[i];
    return sluice_block_ok(both);
  }
  waiting = *block;
  waiting.source = keep_name(block->source, names);
  waiting.topic = keep_name(block->topic, names + 256);
  for (uint32_t i = 0; i < block->count; i++) held[i] = in[i];
  holds = true;
  sluice_block nothing = *block;
  nothing.count = 0;
  return sluice_block_ok(nothing);
}

static sluice_blocks flush(uint64_t) {
  if (!holds) return sluice_no_blocks(0);
  float *rest;
  auto *block = static_cast<sluice_block *>(sluice_allocate(sizeof(sluice_block), 8));
  *block = give_out(0, &rest);
  return {block, 1};
}

SLUICE_KERNEL(process, sluice_no_configure, flush)
