/** Variable Byte Integers: seven bits a byte, low bits first. 5.0 §1.5.5, 3.1.1 §2.2.3. */

/** Bytes that `value` takes; the shortest form MUST be used [MQTT-1.5.5-1]. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes `value` (0 to 268,435,455) at `at` and returns the offset behind it. */
export function writeVarint(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let i = at;
  while (rest >= 0x80) {
    out[i++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[i++] = rest;
  return i;
}

/** A decoded integer may not be complete yet, or may break the rules. */
export const VARINT_MORE = -1;
export const VARINT_BAD = -2;

/**
 * The integer at `at`; its size is `varintSize` of the result, as other forms are refused.
 * Returns VARINT_MORE if `end` comes before its last byte, VARINT_BAD if it takes more than four bytes
 * or is longer than it has to be.
 */
export function readVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    if (at + i >= end) return VARINT_MORE;
    const byte = bytes[at + i]!;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return i > 0 && byte === 0 ? VARINT_BAD : value;
  }
  return VARINT_BAD;
}
