// What plugins over windows share: streams that are cut into windows of `size` frames, `hop` apart.
#ifndef WINDOWED_H
#define WINDOWED_H
#include "handover.h"
#include "reader.h"
#include "window.h"

struct Windowed {
  uint32_t size = 0, hop = 0;
  bool gives_rest = false;
  Reader reader;
  Streams streams;

  bool takes(Settings *settings) {
    if (settings->is(SLUICE_TEXT("hop"))) hop = settings->whole(1, SLUICE_KERNEL_WINDOW_MAX);
    else if (settings->is(SLUICE_TEXT("flush"))) gives_rest = settings->flag();
    else return streams.takes(settings) || reader.takes(settings);
    return true;
  }

  int open(Stream *stream) {
    uint32_t bytes = sluice_kernel_window_bytes(size, stream->channels);
    void *block = streams.block(stream, 0, bytes);
    return block == nullptr ? SLUICE_KERNEL_ENOMEM : sluice_kernel_window_init(block, bytes, size, hop, stream->channels);
  }

  // The most windows that `frames` more frames can complete.
  uint32_t most(uint32_t frames) const { return frames / hop + 1; }

  // what(columns) for each window that is completed: `size` floats for each channel, one channel behind the other.
  template <class What> int each(Stream *stream, Samples samples, What what) {
    for (uint32_t used; samples.frames > 0; samples.frames -= used, samples.at += used * samples.channels) {
      const float *columns;
      if (int wrong = sluice_kernel_window(stream->blocks[0], samples.at, samples.frames, &used, &columns)) return wrong;
      if (columns != nullptr) what(columns);
    }
    return SLUICE_KERNEL_OK;
  }

  // On idle, drain and shutdown: what(stream, frames, columns), which gives a block, for each window that is not full.
  template <class What> sluice_blocks rest(What what) {
    if (!gives_rest) return sluice_no_blocks(0);
    auto *list = static_cast<sluice_block *>(sluice_allocate(streams.count * sizeof(sluice_block), 8));
    uint32_t count = 0;
    for (uint32_t i = 0; i < streams.count; i++) {
      Stream &stream = streams.list[i];
      uint32_t frames;
      const float *columns;
      if (stream.channels == 0 || sluice_kernel_window_rest(stream.blocks[0], &frames, &columns) != SLUICE_KERNEL_OK || frames == 0) continue;
      sluice_block block = what(stream, frames, columns);
      block.source = sluice_lend(stream.source());
      block.topic = sluice_lend(stream.topic());
      block.timestamp = stream.timestamp;
      list[count++] = block;
    }
    return {list, count};
  }
};

#endif
