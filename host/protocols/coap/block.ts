import { SluiceError } from '../../../runtime/index.js';

/** A block option. Source: RFC 7959, 2.2. */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** Bytes of each block but the last: 16 to 1,024. */
  readonly size: number;
}

/** The size exponent 7 is reserved. */
const RESERVED = 7;

/** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function readBlock(value: Buffer): Block {
  if (value.length > 3)
    throw new SluiceError('SLUICE_SOURCE_PROTOCOL', `a block option of ${value.length} bytes`);
  const bits = value.length === 0 ? 0 : value.readUIntBE(0, value.length);
  if ((bits & 7) === RESERVED)
    throw new SluiceError('SLUICE_SOURCE_PROTOCOL', 'a block of the reserved size 7');
  return { number: bits >>> 4, more: (bits & 8) !== 0, size: 1 << ((bits & 7) + 4) };
}

export function writeBlock({ number, more, size }: Block): Buffer {
  const bits = number * 16 + (more ? 8 : 0) + (Math.log2(size) - 4);
  const bytes: number[] = [];
  for (let rest = bits; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 255);
  return Buffer.from(bytes);
}
