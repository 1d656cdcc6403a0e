// Bytes of a device as floats.
#ifndef SAMPLES_H
#define SAMPLES_H
#include "sluice.h"

enum Input { INPUT_F32, INPUT_U16BE, INPUT_I16BE };

// Every 16-bit number is exact as float. The loop is plain, for the compiler to make vectors of it.
static inline void decode_registers(const unsigned char *from, uint32_t count, bool is_signed, float *to) {
  for (uint32_t i = 0; i < count; i++) {
    uint16_t word = static_cast<uint16_t>(from[2 * i] << 8 | from[2 * i + 1]);
    to[i] = is_signed ? static_cast<float>(static_cast<int16_t>(word)) : static_cast<float>(word);
  }
}

#endif
