import { LastView } from '../../../runtime/index.js';

/**
 * CRC-32C (Castagnoli), sixteen bytes at a step. Source: RFC 3720, 12.1 and appendix B.4: polynomial 0x1EDC6F41,
 * reflected, begun and ended with all bits inverted.
 */
const POLYNOMIAL = 0x82f63b78;
const STEP = 16;
const WORD = 4;

/** Table k, entry b: what byte b gives after k more bytes of zero. */
const TABLE = tables();

/** Many frames lie in one read. */
const read = new LastView();

/** The check of `bytes[start, end)`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  return crc32cBits(bytes, start, end) >>> 0;
}

/** The same 32 bits as a signed number: an unsigned one above 2^31 may cost an object of the heap. */
export function crc32cBits(bytes: Uint8Array, start: number, end: number): number {
  const view = read.of(bytes);
  return ~(view === undefined ? overBytes(bytes, start, end) : overView(view, start, end));
}

/** What makes no whole step comes first, so that each part of it is one look at its length. */
function overView(view: DataView, start: number, end: number): number {
  const length = end - start;
  let crc = -1;
  let at = start;
  if ((length & 1) !== 0) {
    crc = TABLE[(crc ^ view.getUint8(at)) & 0xff]! ^ (crc >>> 8);
    at += 1;
  }
  if ((length & 2) !== 0) {
    const both = crc ^ view.getUint16(at, true);
    crc = TABLE[0x100 + (both & 0xff)]! ^ TABLE[(both >>> 8) & 0xff]! ^ (crc >>> 16);
    at += 2;
  }
  if ((length & 4) !== 0) {
    crc = table(0, crc ^ view.getInt32(at, true));
    at += 4;
  }
  if ((length & 8) !== 0) {
    crc = table(0, view.getInt32(at + 4, true)) ^ table(0x400, crc ^ view.getInt32(at, true));
    at += 8;
  }
  for (; at < end; at += STEP) {
    // Three of four words do not wait for the step before.
    const rest =
      table(0x800, view.getInt32(at + 4, true)) ^
      table(0x400, view.getInt32(at + 8, true)) ^
      table(0, view.getInt32(at + 12, true));
    crc = rest ^ table(0xc00, crc ^ view.getInt32(at, true));
  }
  return crc;
}

/** Of memory that no view is kept on. */
function overBytes(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (; at <= end - WORD; at += WORD) crc = table(0, crc ^ word(bytes, at));
  for (; at < end; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return crc;
}

/** What the four bytes of a word give. @param from of its last byte: 256 times the bytes that follow it */
function table(from: number, bytes: number): number {
  return (
    TABLE[from + 0x300 + (bytes & 0xff)]! ^
    TABLE[from + 0x200 + ((bytes >>> 8) & 0xff)]! ^
    (TABLE[from + 0x100 + ((bytes >>> 16) & 0xff)]! ^ TABLE[from + (bytes >>> 24)]!)
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
