import { SluiceError } from '../../../runtime/index.js';
import { type Option, uintOption } from './option.js';

/** A block option. Source: RFC 7959, 2.2. */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** Bytes of each block but the last: 16 to 1,024. */
  readonly size: number;
}

/** The size exponent 7 is reserved. */
const RESERVED = 7;
const MOST_BYTES = 3;
/** The highest number that the option has room for. */
export const LAST_BLOCK = 2 ** 20 - 1;

/** The block option in `bytes[start, end)`. @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function readBlock(bytes: Uint8Array, start = 0, end = bytes.length): Block {
  if (end - start > MOST_BYTES)
    throw new SluiceError('SLUICE_SOURCE_PROTOCOL', `a block option of ${end - start} bytes`);
  let bits = 0;
  for (let at = start; at < end; at++) bits = bits * 256 + bytes[at]!;
  if ((bits & 7) === RESERVED)
    throw new SluiceError('SLUICE_SOURCE_PROTOCOL', 'a block of the reserved size 7');
  return { number: bits >>> 4, more: (bits & 8) !== 0, size: 1 << ((bits & 7) + 4) };
}

/** @param option Block1 or Block2 */
export function blockOption(option: number, { number, more, size }: Block): Option {
  return uintOption(option, number * 16 + (more ? 8 : 0) + (Math.log2(size) - 4));
}
