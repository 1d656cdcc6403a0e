// What a kernel keeps from block to block, for each source and topic of its own: state blocks in memory that is laid aside
// when it is configured.
#ifndef STREAMS_H
#define STREAMS_H
#include "settings.h"
#include "state.h"

struct Stream {
  static constexpr uint32_t MOST_BLOCKS = 2;
  // Bytes of source and topic, one behind the other.
  char names[512];
  uint32_t source_length, topic_length;
  // 0: its kernels are not made yet, or cannot be.
  uint32_t channels;
  // State blocks of its kernels.
  void *blocks[MOST_BLOCKS];
  uint32_t sizes[MOST_BLOCKS];
  bool has_told;
  // Of the last block.
  uint64_t timestamp;
  double rate;

  sluice_text source() const { return sluice_view(names, source_length); }
  sluice_text topic() const { return sluice_view(names + source_length, topic_length); }
};

// Of all streams of a plugin: so that its memory, and what it hands over at a reload, fit into the 16 MiB that it is granted
// by default. What is not used is not in memory.
static constexpr uint32_t STATE_ROOM = 6 << 20;

class Streams {
 public:
  // Makes the kernels of a stream, for its `channels` and `rate`; answers with an errno of a kernel.
  using Open = int (*)(Stream *stream);

  // Called in configure: memory for life is not to be had later.
  SETTINGS_FAR void reserve(Settings *settings, uint32_t bytes_of_one, Open opener) {
    if (settings->failed()) return;
    if (bytes_of_one == 0 || bytes_of_one > STATE_ROOM) return settings->refuse(SLUICE_TEXT("one channel alone would need more than 6 MiB: ask for less"));
    open = opener;
    list = static_cast<Stream *>(sluice_keep(most * static_cast<uint32_t>(sizeof(Stream))));
    room = static_cast<char *>(sluice_keep(STATE_ROOM));
  }

  bool takes(Settings *settings) {
    if (!settings->is(SLUICE_TEXT("streams"))) return false;
    most = settings->whole(1, 1024);
    return true;
  }

  // The stream of a block. It begins anew where its channels or its rate are other ones than before. Null: `wrong` says why.
  SETTINGS_FAR Stream *of(sluice_text source, sluice_text topic, uint32_t channels, double rate) {
    Stream *stream = find(source, topic);
    if (stream == nullptr) stream = add(source, topic);
    if (stream == nullptr) {
      wrong = SLUICE_ENOMEM;
      return nullptr;
    }
    if (stream->channels == channels && stream->rate == rate) return stream;
    stream->channels = channels;
    stream->rate = rate;
    int answer = open(stream);
    if (answer == SLUICE_KERNEL_OK) return stream;
    stream->channels = 0;
    wrong = answer == SLUICE_KERNEL_EFAULT ? SLUICE_EINVAL : static_cast<sluice_errno>(answer - 1);
    return nullptr;
  }

  // Room for state block `which` of a stream: that of before, if it is large enough. Null: there is none.
  SETTINGS_FAR void *block(Stream *stream, uint32_t which, uint32_t bytes) {
    if (bytes > stream->sizes[which]) {
      uint32_t size = (bytes + 15) & ~15u;
      if (size > STATE_ROOM - used) return tell(stream, SLUICE_TEXT("no room is left in the 6 MiB for the state of all streams")), nullptr;
      stream->blocks[which] = room + used;
      stream->sizes[which] = size;
      used += size;
    }
    return stream->blocks[which];
  }

  // A line in the log, once for a stream: an errno has no words.
  SETTINGS_FAR void tell(Stream *stream, sluice_text why) {
    if (stream->has_told) return;
    stream->has_told = true;
    sluice_writer w = sluice_begin();
    sluice_put(&w, stream->source());
    sluice_put(&w, SLUICE_TEXT(" "));
    sluice_put(&w, stream->topic());
    sluice_put(&w, SLUICE_TEXT(": "));
    sluice_put(&w, why);
    sluice_log(SLUICE_WARN, sluice_end(&w));
  }

  Stream *list = nullptr;
  uint32_t count = 0;
  sluice_errno wrong = SLUICE_EINVAL;

 private:
  uint32_t most = 64, used = 0;
  char *room = nullptr;
  Open open = nullptr;

  Stream *find(sluice_text source, sluice_text topic) const {
    for (uint32_t i = 0; i < count; i++) {
      if (sluice_equals(list[i].topic(), topic) && sluice_equals(list[i].source(), source)) return list + i;
    }
    return nullptr;
  }

  Stream *add(sluice_text source, sluice_text topic) {
    if (count == most || source.length + topic.length > sizeof list->names) return nullptr;
    Stream *stream = list + count++;
    *stream = {};
    stream->source_length = source.length;
    stream->topic_length = topic.length;
    __builtin_memcpy(stream->names, source.at, source.length);
    __builtin_memcpy(stream->names + source.length, topic.at, topic.length);
    return stream;
  }
};

#endif
