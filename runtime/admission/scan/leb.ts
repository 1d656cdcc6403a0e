import { SluiceError } from '../../errors.js';

/**
 * The integers of WebAssembly are LEB128 (core specification 5.2.2): seven bits a byte, at most as many bytes as
 * the width needs, and in the last of these no bits that do not belong to the value. Each function gives the byte
 * behind the integer; values are read by `Reader`, the scan of code needs none.
 */

/** @throws SluiceError SLUICE_MODULE_MALFORMED */
export function skipUnsigned(bytes: Uint8Array, at: number, end: number, bits: 32 | 64): number {
  const last = at + (bits === 32 ? 4 : 9);
  for (let i = at; i <= last; i++) {
    if (i >= end) malformed(at, 'an integer is cut off');
    const byte = bytes[i]!;
    if (i === last && byte >> (bits === 32 ? 4 : 1) !== 0) break;
    if (byte < 0x80) return i + 1;
  }
  return malformed(at, `an integer does not fit ${bits} bits`);
}

/** @throws SluiceError SLUICE_MODULE_MALFORMED */
export function skipSigned(bytes: Uint8Array, at: number, end: number, bits: 32 | 33 | 64): number {
  const last = at + (bits === 64 ? 9 : 4);
  // Bits of the last byte from the sign on have to be alike.
  const sign = bits === 32 ? 3 : bits === 33 ? 4 : 0;
  for (let i = at; i <= last; i++) {
    if (i >= end) malformed(at, 'an integer is cut off');
    const byte = bytes[i]!;
    if (i === last && byte >> sign !== 0 && byte >> sign !== 0x7f >> sign) break;
    if (byte < 0x80) return i + 1;
  }
  return malformed(at, `an integer does not fit ${bits} bits`);
}

/** @throws SluiceError SLUICE_MODULE_MALFORMED, always */
export function malformed(at: number, what: string): never {
  throw new SluiceError('SLUICE_MODULE_MALFORMED', `at byte ${at}: ${what}`);
}
