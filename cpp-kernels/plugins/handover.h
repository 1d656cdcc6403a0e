// How streams outlive a reload. Little-endian words: for each stream its names, channels and rate, and what its kernels export.
#ifndef HANDOVER_H
#define HANDOVER_H
#include "streams.h"

// In front of the names and the state blocks of a stream.
struct StreamHead {
  uint32_t source_length, topic_length, channels, blocks;
  uint64_t timestamp;
  double rate;
};

static constexpr uint32_t STATE_VERSION = 1;

static inline uint32_t blocks_of(const Stream &stream) {
  uint32_t count = 0;
  while (count < Stream::MOST_BLOCKS && stream.channels > 0 && stream.blocks[count] != nullptr) count++;
  return count;
}

SETTINGS_FAR static sluice_state save_of(const Streams &streams) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < streams.count; i++) {
    const Stream &stream = streams.list[i];
    bytes += static_cast<uint32_t>(sizeof(StreamHead)) + stream.source_length + stream.topic_length;
    for (uint32_t b = 0; b < blocks_of(stream); b++) {
      bytes += 4 + SLUICE_KERNEL_EXPORT_HEAD + static_cast<sluice_kernel_state *>(stream.blocks[b])->memory_bytes;
    }
  }
  auto *start = static_cast<char *>(sluice_allocate(bytes, 8)), *at = start;
  auto put = [&](const void *from, uint32_t length) {
    __builtin_memcpy(at, from, length);
    at += length;
  };
  for (uint32_t i = 0; i < streams.count; i++) {
    const Stream &stream = streams.list[i];
    StreamHead head = {stream.source_length, stream.topic_length, stream.channels, blocks_of(stream), stream.timestamp, stream.rate};
    put(&head, sizeof head);
    put(stream.names, stream.source_length + stream.topic_length);
    for (uint32_t b = 0; b < head.blocks; b++) {
      // The length in front lies anywhere, so it is copied to its place behind.
      uint32_t written = 0;
      if (sluice_kernel_export(stream.blocks[b], at + 4, static_cast<uint32_t>(start + bytes - at) - 4, &written) != SLUICE_KERNEL_OK) __builtin_trap();
      __builtin_memcpy(at, &written, 4);
      at += 4 + written;
    }
  }
  return {STATE_VERSION, sluice_view(start, bytes)};
}

// Reads a state from its start; after its end, and after a mistake, everything is empty.
struct StateReader {
  const char *at, *end;
  bool is_cut = false;

  sluice_text take(uint32_t length) {
    if (length > static_cast<uint32_t>(end - at)) {
      is_cut = true;
      at = end;
      return sluice_view(end, 0);
    }
    at += length;
    return sluice_view(at - length, length);
  }
  template <class T> T value() {
    T value = {};
    sluice_text bytes = take(sizeof value);
    if (bytes.length > 0) __builtin_memcpy(&value, bytes.at, sizeof value);
    return value;
  }
};

// A stream whose kernels have other sizes now begins anew, and the log says so.
SETTINGS_FAR static sluice_result load_into(Streams &streams, uint32_t version, sluice_text state) {
  if (version != STATE_VERSION) return sluice_fault(SLUICE_CONFIGURATION, SLUICE_TEXT("the state is in the form of another version"));
  StateReader reader = {state.at, state.at + state.length};
  while (reader.at < reader.end) {
    auto head = reader.value<StreamHead>();
    sluice_text source = reader.take(head.source_length), topic = reader.take(head.topic_length);
    if (reader.is_cut || head.blocks > Stream::MOST_BLOCKS) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("the state is cut off or damaged"));
    if (head.channels == 0) continue;
    Stream *stream = streams.of(source, topic, head.channels, head.rate);
    bool taken = stream != nullptr && blocks_of(*stream) == head.blocks;
    for (uint32_t b = 0; b < head.blocks; b++) {
      sluice_text block = reader.take(reader.value<uint32_t>());
      taken = taken && sluice_kernel_import(stream->blocks[b], block.at, block.length) == SLUICE_KERNEL_OK;
    }
    if (reader.is_cut) return sluice_fault(SLUICE_MALFORMED, SLUICE_TEXT("the state is cut off or damaged"));
    if (stream == nullptr) continue;
    stream->timestamp = head.timestamp;
    if (taken) continue;
    streams.tell(stream, SLUICE_TEXT("begins anew: its kernel has other sizes than before the reload"));
    // Made again at its next block, so that nothing of half a state is left.
    stream->channels = 0;
  }
  return SLUICE_CONFIGURED;
}

#endif
