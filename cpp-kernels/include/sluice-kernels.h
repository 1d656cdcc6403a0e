/*
 * sluice-kernels.h: the kernels of src/ as plain functions. The caller owns every buffer; nothing is allocated,
 * kept or thrown. The answer is 0 or an errno of plugin.wit plus one (SLUICE_KERNEL_EINVAL, ...): then nothing
 * was written. A kernel is one file, built twice: with SIMD, and with SLUICE_SCALAR defined. Both builds work in
 * the same order, so their results are equal bit by bit; NaN is always 0x7fc00000.
 */
#ifndef SLUICE_KERNELS_H
#define SLUICE_KERNELS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SLUICE_KERNEL_OK = 0, SLUICE_KERNEL_EINVAL = 1, SLUICE_KERNEL_ENOSPC = 2 };

/*
 * Root mean square, sqrt(sum(x * x) / window), of each window of `window` samples; the next window begins `hop`
 * samples behind the last one. Writes as many results as there are whole windows in `count` samples and stores
 * that number in *written. Samples need not be aligned, `out` is; neither overlaps the other.
 *
 * The sum is kept in doubles. With u = 2^-53 and n samples in a window (at most 2^20) it is off by less than
 * (n / 8 + 4) * u, the root by half of that; rounding to float adds 2^-24. So where the result is a normal float
 *     |result - exact| <= exact * 2^-23.99
 * and where it is subnormal or zero it is off by at most 2^-150 * 1.01. Squares neither overflow nor underflow.
 * An infinity gives infinity, a NaN gives NaN.
 *
 * EINVAL: window is 0 or above 2^20, or hop is 0. ENOSPC: more results than `room`.
 */
int sluice_kernel_rms(const float *samples, uint32_t count, uint32_t window, uint32_t hop, float *out, uint32_t room,
                      uint32_t *written);

#define SLUICE_KERNEL_WINDOW_MAX (1u << 20)

#ifdef __cplusplus
}
#endif
#endif
