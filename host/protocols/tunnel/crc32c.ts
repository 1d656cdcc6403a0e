import { LastView } from '../../../runtime/index.js';

/**
 * CRC-32C (Castagnoli), eight bytes at a step. Source: RFC 3720, 12.1 and appendix B.4: polynomial 0x1EDC6F41,
 * reflected, begun and ended with all bits inverted.
 */
const POLYNOMIAL = 0x82f63b78;
const STEP = 8;

/** Table k, entry b: what byte b gives after k more bytes of zero. */
const TABLE = tables();

/** Many frames lie in one read. */
const read = new LastView();

/** The check of `bytes[start, end)`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  const view = read.of(bytes);
  const last = end - STEP;
  let crc = -1;
  let at = start;
  if (view === undefined)
    for (; at <= last; at += STEP) crc = step(crc ^ word(bytes, at), word(bytes, at + 4));
  else for (; at <= last; at += STEP) crc = step(crc ^ view.getInt32(at, true), view.getInt32(at + 4, true));
  for (; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function step(low: number, high: number): number {
  return (
    TABLE[0x700 | (low & 0xff)]! ^
    TABLE[0x600 | ((low >>> 8) & 0xff)]! ^
    TABLE[0x500 | ((low >>> 16) & 0xff)]! ^
    TABLE[0x400 | (low >>> 24)]! ^
    TABLE[0x300 | (high & 0xff)]! ^
    TABLE[0x200 | ((high >>> 8) & 0xff)]! ^
    TABLE[0x100 | ((high >>> 16) & 0xff)]! ^
    TABLE[high >>> 24]!
  );
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function tables(): Int32Array {
  const table = new Int32Array(STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!;
    table[at] = table[before & 0xff]! ^ (before >>> 8);
  }
  return table;
}
