// The plugin `checksum`: frames whose last bytes are their CRC. Without it they go on, with a wrong one they are refused (EDOM).
#include "crc.h"
#include "settings.h"

static bool is_modbus = true, is_big_endian;

static sluice_result configure(sluice_text json) {
  Settings settings(json);
  while (settings.next()) {
    if (settings.is(SLUICE_TEXT("kind"))) is_modbus = settings.choice("crc16-modbus|crc32c") == 0;
    else if (settings.is(SLUICE_TEXT("order"))) is_big_endian = settings.choice("le|be") == 1;
    else settings.unknown();
  }
  return settings.answer();
}

static sluice_block_result process(const sluice_block *block) {
  uint32_t size = is_modbus ? 2 : 4, crc = is_modbus ? 0xffff : 0, sent = 0;
  if (block->format != SLUICE_BYTES || block->count < size) return sluice_block_fault(SLUICE_EINVAL);
  auto *bytes = static_cast<const unsigned char *>(block->data);
  uint32_t length = block->count - size;
  for (uint32_t i = 0; i < size; i++) sent |= static_cast<uint32_t>(bytes[length + i]) << 8 * (is_big_endian ? size - 1 - i : i);
  int wrong = is_modbus ? sluice_kernel_crc16_modbus(bytes, length, &crc) : sluice_kernel_crc32c(bytes, length, &crc);
  if (wrong != SLUICE_KERNEL_OK) return sluice_block_fault(SLUICE_EINVAL);
  if (crc != sent) return sluice_block_fault(SLUICE_EDOM);
  sluice_block result = *block;
  result.count = length;
  return sluice_block_ok(result);
}

SLUICE_KERNEL(process, configure, sluice_no_blocks)
