/*
 * window: cuts a stream into windows, as columns: the samples of one channel, one behind the other.
 *
 * The windows are `size` frames, the next one begins `hop` frames behind the last one: a smaller hop makes them overlap, a larger
 * one leaves frames out. `in` is frames of interleaved channels. A call takes *used of them, and then *columns is either null, all
 * were taken and no window is full; or it points to a full window in the state block, channel after channel, size floats each,
 * to be read until the next call: go on with the frames that are left. Exact: bits are moved.
 *
 * sluice_kernel_window_rest ends a stream: *frames are held of a window that is not full (0: none, or it has been given out), in
 * *columns, which lie size floats apart; the next window begins anew.
 *
 * _init: EINVAL: size or hop is 0 or above 2^20, no channels, or more than 256. ENOMEM, EFAULT: sluice-kernels.h. Handed over: the
 * frames that are held.
 *
 * Source: Welch, The use of fast Fourier transform for the estimation of power spectra (overlapping segments).
 */
#ifndef WINDOW_H
#define WINDOW_H
#include "columns.h"

struct WindowParts {
  uint32_t held, columns, bytes;
  WindowParts(uint32_t size, uint32_t channels) {
    Layout layout;
    // All of it is handed over: how many frames are held, how many are to be left out, whether the window has been given out.
    held = layout.list<uint32_t>(3);
    columns = layout.list<float>(static_cast<uint64_t>(size) * channels);
    bytes = layout.bytes();
  }
};

SLUICE_KERNEL_API uint32_t sluice_kernel_window_bytes(uint32_t size, uint32_t channels) {
  return size > 0 && size <= SLUICE_KERNEL_WINDOW_MAX && are_channels(channels) ? WindowParts(size, channels).bytes : 0;
}

SLUICE_KERNEL_API int sluice_kernel_window_init(void *state, uint32_t bytes, uint32_t size, uint32_t hop, uint32_t channels) {
  uint32_t needed = sluice_kernel_window_bytes(size, channels);
  if (hop == 0 || hop > SLUICE_KERNEL_WINDOW_MAX) return SLUICE_KERNEL_EINVAL;
  if (int wrong = check_room(state, bytes, needed)) return wrong;
  WindowParts parts(size, channels);
  clear(state, needed);
  *static_cast<sluice_kernel_state *>(state) = {kind_of("win1"), needed, channels, {size, hop, 0}, parts.held, needed - parts.held};
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_window(void *state, const float *in, uint32_t frames, uint32_t *used, const float **columns) {
  if (int wrong = check_state(state, kind_of("win1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t channels = head->channels, size = head->shape[0], hop = head->shape[1];
  if (head->bytes != sluice_kernel_window_bytes(size, channels) || hop == 0 || hop > SLUICE_KERNEL_WINDOW_MAX) return SLUICE_KERNEL_EINVAL;
  Span spans[] = {whole_state(state), reads(in, static_cast<uint64_t>(frames) * channels), writes(used), writes(columns, sizeof *columns, sizeof *columns)};
  if (!are_sound(spans)) return SLUICE_KERNEL_EFAULT;
  WindowParts parts(size, channels);
  auto *held = part_of<uint32_t>(state, parts.held), *skip = held + 1, *given = held + 2;
  auto *list = part_of<float>(state, parts.columns);
  if (*held > size || *skip > SLUICE_KERNEL_WINDOW_MAX || (*given != 0 && *held != size)) return SLUICE_KERNEL_EINVAL;
  if (*given != 0) {
    // What the next window has in common with the last one moves to the front.
    uint32_t common = hop < size ? size - hop : 0;
    for (uint32_t c = 0; c < channels && common > 0; c++) {
      float *column = list + static_cast<uint64_t>(c) * size;
      __builtin_memmove(column, column + hop, common * 4);
    }
    *held = common;
    *skip = hop > size ? hop - size : 0;
    *given = 0;
  }
  uint32_t skipped = frames < *skip ? frames : *skip, left = frames - skipped, free = size - *held, some = left < free ? left : free;
  *skip -= skipped;
  to_columns(in + static_cast<uint64_t>(skipped) * channels, some, channels, list + *held, size);
  *held += some;
  *used = skipped + some;
  *given = *held == size;
  *columns = *given != 0 ? list : nullptr;
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_window_rest(void *state, uint32_t *frames, const float **columns) {
  if (int wrong = check_state(state, kind_of("win1"))) return wrong;
  auto *head = static_cast<sluice_kernel_state *>(state);
  uint32_t size = head->shape[0];
  if (head->bytes != sluice_kernel_window_bytes(size, head->channels)) return SLUICE_KERNEL_EINVAL;
  if (!are_sound({whole_state(state), writes(frames), writes(columns, sizeof *columns, sizeof *columns)})) return SLUICE_KERNEL_EFAULT;
  WindowParts parts(size, head->channels);
  auto *held = part_of<uint32_t>(state, parts.held), *skip = held + 1, *given = held + 2;
  if (*held > size) return SLUICE_KERNEL_EINVAL;
  *frames = *given != 0 ? 0 : *held;
  *columns = part_of<float>(state, parts.columns);
  *held = *skip = *given = 0;
  return SLUICE_KERNEL_OK;
}

#endif
