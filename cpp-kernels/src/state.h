// State blocks: their head, and how the memory of one is handed over to another. See ../include/sluice-kernels.h.
#ifndef STATE_H
#define STATE_H
#include "spans.h"

static constexpr uint32_t kind_of(const char (&name)[5]) {
  return static_cast<uint32_t>(name[0]) | static_cast<uint32_t>(name[1]) << 8 | static_cast<uint32_t>(name[2]) << 16 |
         static_cast<uint32_t>(name[3]) << 24;
}

// The parts of a block, laid out one behind the other from the sizes alone: so that no offset is believed that lies in
// the block. After what does not fit into 32 bits `bytes()` is 0.
class Layout {
 public:
  uint32_t add(uint64_t bytes) {
    uint64_t at = total;
    total += (bytes + 15) & ~15ull;
    return static_cast<uint32_t>(at);
  }
  template <class T> uint32_t list(uint64_t count) { return add(count * sizeof(T)); }
  uint32_t bytes() const { return total < 1u << 30 ? static_cast<uint32_t>(total) : 0; }

 private:
  uint64_t total = sizeof(sluice_kernel_state);
};

template <class T> static inline T *part_of(void *state, uint32_t offset) {
  return reinterpret_cast<T *>(static_cast<char *>(state) + offset);
}

static inline void clear(void *at, uint32_t bytes) {
  auto *words = static_cast<uint32_t *>(at);
  for (uint32_t i = 0; i < bytes / 4; i++) words[i] = 0;
}

// Is there room for a block of `needed` bytes, apart from the settings?
static inline int check_room(void *state, uint32_t bytes, uint32_t needed, const Span &settings) {
  if (needed == 0) return SLUICE_KERNEL_EINVAL;
  if (bytes < needed) return SLUICE_KERNEL_ENOMEM;
  return are_sound({writes(state, needed, 16), settings}) ? SLUICE_KERNEL_OK : SLUICE_KERNEL_EFAULT;
}
static inline int check_room(void *state, uint32_t bytes, uint32_t needed) { return check_room(state, bytes, needed, {}); }

static inline Span whole_state(void *state) { return writes(state, static_cast<sluice_kernel_state *>(state)->bytes, 16); }

// A block of this kind? Its sizes are believed only if they make a block of just its bytes, which `layout` of the
// kernel tells: EINVAL otherwise.
static inline int check_state(const void *state, uint32_t kind) {
  if (!is_reachable(state, sizeof(sluice_kernel_state), 16)) return SLUICE_KERNEL_EFAULT;
  auto *head = static_cast<const sluice_kernel_state *>(state);
  if (head->kind != kind || head->channels == 0 || head->channels > SLUICE_KERNEL_CHANNELS_MAX) return SLUICE_KERNEL_EINVAL;
  if (head->memory > head->bytes || head->memory_bytes > head->bytes - head->memory) return SLUICE_KERNEL_EINVAL;
  return is_reachable(state, head->bytes, 16) ? SLUICE_KERNEL_OK : SLUICE_KERNEL_EFAULT;
}

/*
 * Writes what the stream has left in the block: EXPORT_HEAD + memory_bytes bytes, the same on every machine.
 * EINVAL: no state block. ENOSPC: more than `room` bytes. EFAULT: see sluice-kernels.h.
 */
SLUICE_KERNEL_API int sluice_kernel_export(const void *state, void *to, uint32_t room, uint32_t *written) {
  if (!is_reachable(state, sizeof(sluice_kernel_state), 16)) return SLUICE_KERNEL_EFAULT;
  auto *head = static_cast<const sluice_kernel_state *>(state);
  if (int wrong = check_state(state, head->kind)) return wrong;
  uint32_t total = SLUICE_KERNEL_EXPORT_HEAD + head->memory_bytes;
  if (total > room) return SLUICE_KERNEL_ENOSPC;
  if (!are_sound({reads(state, head->bytes, 16), writes(to, total, 1), writes(written)})) return SLUICE_KERNEL_EFAULT;
  uint32_t words[8] = {head->kind, head->channels, head->shape[0], head->shape[1], head->shape[2], head->memory_bytes, 0, 0};
  __builtin_memcpy(to, words, sizeof words);
  __builtin_memcpy(static_cast<char *>(to) + sizeof words, part_of<char>(const_cast<void *>(state), head->memory), head->memory_bytes);
  *written = total;
  return SLUICE_KERNEL_OK;
}

/*
 * Goes on where the exporting block was. The block has been initialised, with whatever settings; kernel, channels and
 * sizes have to be the same. EINVAL: they are not, or `length` is not what the export had.
 */
SLUICE_KERNEL_API int sluice_kernel_import(void *state, const void *from, uint32_t length) {
  if (!is_reachable(state, sizeof(sluice_kernel_state), 16)) return SLUICE_KERNEL_EFAULT;
  auto *head = static_cast<const sluice_kernel_state *>(state);
  if (int wrong = check_state(state, head->kind)) return wrong;
  if (!are_sound({writes(state, head->bytes, 16), reads(from, length, 1)})) return SLUICE_KERNEL_EFAULT;
  uint32_t words[8];
  if (length != sizeof words + head->memory_bytes) return SLUICE_KERNEL_EINVAL;
  __builtin_memcpy(words, from, sizeof words);
  bool fits = words[0] == head->kind && words[1] == head->channels && words[2] == head->shape[0] && words[3] == head->shape[1] &&
              words[4] == head->shape[2] && words[5] == head->memory_bytes;
  if (!fits) return SLUICE_KERNEL_EINVAL;
  __builtin_memcpy(part_of<char>(state, head->memory), static_cast<const char *>(from) + sizeof words, head->memory_bytes);
  return SLUICE_KERNEL_OK;
}

#endif
