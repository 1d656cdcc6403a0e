/*
 * sluice-kernels.h: what holds for every kernel of src/, as a plain function. One kernel is one file there; its own
 * comment has its units, its bound of error and its errnos.
 *
 * Buffers. The caller owns every buffer; nothing is allocated, kept or thrown. Sizes are in elements (floats, frames,
 * taps), only those of state blocks and of raw data are in bytes. Floats are aligned to 4 bytes and state blocks to 16,
 * raw data lies anywhere. An output is either apart from the inputs or, where the kernel says so, the very same buffer;
 * half over another is refused.
 *
 * Streams are interleaved: a frame is one sample of each channel, and a stream may be cut into calls anywhere, the
 * results are the same. Windows are columns: the samples of one channel, one behind the other (sluice_kernel_window and
 * sluice_kernel_columns make them). Where outputs are fewer or more than inputs the kernel takes the room of the caller
 * and says how many it has written.
 *
 * State. A kernel with a memory keeps it in a block of the caller:
 *   uint32_t NAME_bytes(sizes)                     how large it is; 0: there is no such kernel
 *   int NAME_init(state, bytes, settings)          at rest
 *   int NAME(state, ...)                           the next frames of the stream
 * The block holds no addresses, so it may be moved. What a stream has left in it is handed over to a block with other
 * settings but the same sizes (a reload in mid-stream) by sluice_kernel_export and sluice_kernel_import.
 *
 * Answers. 0, or an errno, and then nothing was written and no state has changed. The first six are those of plugin.wit
 * plus one; the last is a mistake of the program that calls.
 *   EINVAL  a size, a choice or a state block is wrong     ENOMEM  a state block is too small for its kernel
 *   ENOSPC  more results than `room`                       ENOSYS  not in this build
 *   EDOM    a setting is NaN, infinite or senseless        EFAULT  a buffer is null, not aligned, beyond the memory, or
 *   ERANGE  a result that no number of its kind holds              over another
 *
 * Numbers. IEEE 754, rounded to nearest, nothing fused. The builds with and without vectors work in the same order, so
 * their results are equal bit by bit. A NaN that comes out is 0x7fc00000, where a kernel does not
 * say otherwise. In the bounds u is 2^-24, half a unit in the last
 * place of 1.0f; "exact" is the result without rounding.
 */
#ifndef SLUICE_KERNELS_H
#define SLUICE_KERNELS_H

#include <stdint.h>

enum {
  SLUICE_KERNEL_OK,
  SLUICE_KERNEL_EINVAL,
  SLUICE_KERNEL_ENOSPC,
  SLUICE_KERNEL_EDOM,
  SLUICE_KERNEL_ERANGE,
  SLUICE_KERNEL_ENOMEM,
  SLUICE_KERNEL_ENOSYS,
  SLUICE_KERNEL_EFAULT
};

#define SLUICE_KERNEL_CHANNELS_MAX 256u
/* Samples of a window, and taps of a filter. */
#define SLUICE_KERNEL_WINDOW_MAX (1u << 20)
#define SLUICE_KERNEL_TAPS_MAX (1u << 16)

/* The head of every state block. Only to be looked at. */
typedef struct {
  /* Four letters: which kernel, and which layout of its memory. */
  uint32_t kind;
  /* Of the whole block. */
  uint32_t bytes;
  uint32_t channels;
  /* What has to be the same at import: taps, sections, a window. */
  uint32_t shape[3];
  /* What is handed over: bytes from the start of the block, and how many. */
  uint32_t memory, memory_bytes;
} sluice_kernel_state;

/* Bytes in front of the memory in what export writes. */
#define SLUICE_KERNEL_EXPORT_HEAD 32u

#ifndef SLUICE_KERNEL_API
/* How a kernel is declared: inline where a plugin includes it, exported where all are built into one library. */
#define SLUICE_KERNEL_API extern "C" inline
#endif

#endif
