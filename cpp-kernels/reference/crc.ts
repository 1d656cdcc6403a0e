/** Checksums bit by bit: src/crc.h. */

/** @param crc what the bytes in front of these gave */
export function crc16Modbus(bytes: Uint8Array, crc = 0xffff): number {
  return bitwise(bytes, crc, 0xa001);
}

export function crc32c(bytes: Uint8Array, crc = 0): number {
  return ~bitwise(bytes, ~crc >>> 0, 0x82f63b78) >>> 0;
}

function bitwise(bytes: Uint8Array, start: number, polynomial: number): number {
  let crc = start;
  for (const byte of bytes) {
    crc = (crc ^ byte) >>> 0;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? ((crc >>> 1) ^ polynomial) >>> 0 : crc >>> 1;
  }
  return crc;
}
