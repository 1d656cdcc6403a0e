/*
 * crc16_modbus and crc32c: checksums of bytes, eight at a time by tables.
 *
 * *crc is what the bytes in front of these gave, and becomes what they give together; for the first ones it is 0xffff
 * (crc16_modbus) or 0 (crc32c). `bytes` may lie anywhere. Exact. A Modbus RTU frame carries its CRC low byte first: over the
 * whole frame, CRC included, the result is 0.
 *
 * EFAULT: sluice-kernels.h. EINVAL: *crc is above 0xffff (crc16_modbus).
 *
 * Source: Modbus over serial line V1.02, 6.2.2; RFC 3720, 12.1 (CRC-32C); the tables after Kounavis and Berry, slicing by eight.
 */
#ifndef CRC_H
#define CRC_H
#include "spans.h"

// Entry [k][b]: what byte b does to the sum when k more bytes follow it.
template <class Word> struct CrcTables {
  Word at[8][256];
  constexpr explicit CrcTables(Word polynomial) : at() {
    for (uint32_t b = 0; b < 256; b++) {
      auto word = static_cast<Word>(b);
      for (uint32_t bit = 0; bit < 8; bit++) word = static_cast<Word>((word >> 1) ^ ((word & 1) != 0 ? polynomial : 0));
      at[0][b] = word;
    }
    for (uint32_t k = 1; k < 8; k++) {
      for (uint32_t b = 0; b < 256; b++) at[k][b] = static_cast<Word>((at[k - 1][b] >> 8) ^ at[0][at[k - 1][b] & 0xff]);
    }
  }
};

// The polynomials, lowest power first.
static constexpr CrcTables<uint16_t> MODBUS_TABLES(0xa001);
static constexpr CrcTables<uint32_t> CASTAGNOLI_TABLES(0x82f63b78);

template <class Word> static inline Word crc_of(const CrcTables<Word> &tables, Word crc, const unsigned char *bytes, uint32_t count) {
  auto &t = tables.at;
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t x;
    __builtin_memcpy(&x, bytes, 8);
    x ^= crc;
    crc = static_cast<Word>(t[7][x & 0xff] ^ t[6][x >> 8 & 0xff] ^ t[5][x >> 16 & 0xff] ^ t[4][x >> 24 & 0xff] ^ t[3][x >> 32 & 0xff] ^
                            t[2][x >> 40 & 0xff] ^ t[1][x >> 48 & 0xff] ^ t[0][x >> 56]);
  }
  for (; count > 0; count--, bytes++) crc = static_cast<Word>((crc >> 8) ^ t[0][(crc ^ *bytes) & 0xff]);
  return crc;
}

SLUICE_KERNEL_API int sluice_kernel_crc16_modbus(const void *bytes, uint32_t count, uint32_t *crc) {
  if (!are_sound({reads(bytes, count, 1), writes(crc)})) return SLUICE_KERNEL_EFAULT;
  if (*crc > 0xffff) return SLUICE_KERNEL_EINVAL;
  *crc = crc_of(MODBUS_TABLES, static_cast<uint16_t>(*crc), static_cast<const unsigned char *>(bytes), count);
  return SLUICE_KERNEL_OK;
}

SLUICE_KERNEL_API int sluice_kernel_crc32c(const void *bytes, uint32_t count, uint32_t *crc) {
  if (!are_sound({reads(bytes, count, 1), writes(crc)})) return SLUICE_KERNEL_EFAULT;
  *crc = ~crc_of(CASTAGNOLI_TABLES, ~*crc, static_cast<const unsigned char *>(bytes), count);
  return SLUICE_KERNEL_OK;
}

#endif
