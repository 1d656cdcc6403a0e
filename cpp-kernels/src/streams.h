// What a windowed kernel keeps from block to block, for each source and topic of its own.
#ifndef STREAMS_H
#define STREAMS_H
#include "config.h"

struct Stream {
  // Bytes of source and topic, one behind the other.
  char names[512];
  uint32_t source_length, topic_length;
  uint32_t held;
  // Samples to leave out before the next window begins (hop larger than window).
  uint32_t skip;
  uint64_t timestamp;
  double rate;
  float *samples;

  sluice_text source() const { return sluice_view(names, source_length); }
  sluice_text topic() const { return sluice_view(names + source_length, topic_length); }
};

struct Streams {
  Stream *list = nullptr;
  uint32_t count = 0, most = 0;

  // Called in configure: memory for life is not to be had later.
  void reserve(uint32_t streams, uint32_t window) {
    list = static_cast<Stream *>(sluice_keep(streams * sizeof(Stream)));
    auto *samples = static_cast<float *>(sluice_keep(streams * window * sizeof(float)));
    for (uint32_t i = 0; i < streams; i++) list[i].samples = samples + static_cast<uint64_t>(i) * window;
    count = 0;
    most = streams;
  }

  // The stream of a block, new if need be; null if there is no place for one more, or its name is too long.
  Stream *of(const sluice_block *block) {
    for (uint32_t i = 0; i < count; i++) {
      if (same_text(list[i].topic(), block->topic) && same_text(list[i].source(), block->source)) return list + i;
    }
    if (count == most || block->source.length + block->topic.length > sizeof list->names) return nullptr;
    Stream *stream = list + count++;
    stream->source_length = block->source.length;
    stream->topic_length = block->topic.length;
    __builtin_memcpy(stream->names, block->source.at, block->source.length);
    __builtin_memcpy(stream->names + block->source.length, block->topic.at, block->topic.length);
    stream->held = stream->skip = 0;
    return stream;
  }
};

#endif
