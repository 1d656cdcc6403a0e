import type { ErrorCode } from '../../../runtime/index.js';

/** Numbers of the tunnel protocol, version 1. Source: tunnel.md beside this file; the clauses are named after it. */

/** 2: the header of every frame; all numbers are big-endian. */
export const HEADER = {
  magic: 0,
  /** Version in the high four bits, type in the low ones. */
  kind: 1,
  flags: 2,
  length: 4,
  sequence: 8,
  timestamp: 16,
  body: 24,
  /** Bytes of the check, behind the body. */
  check: 4,
  /** A frame without a body. */
  least: 28,
} as const;

export const MAGIC = 0xd5;
export const VERSION = 1;

/** 3: types. */
export const TYPE = { hello: 1, welcome: 2, data: 3, ack: 4, ping: 5, pong: 6, close: 7 } as const;

/** 4: flags. The high byte may be ignored by who does not know it, the low one may not. */
export const FLAG = { trace: 1, topic: 2, known: 3, mustKnow: 0xff } as const;

/** 4.1: trace id, parent id and flags of W3C Trace Context. */
export const TRACE_BYTES = 25;
/** 3.1: most bytes of a whole HELLO, the one frame of a peer that has not said who it is. */
export const LARGEST_HELLO = 512;
/** 3.1: most characters of a client id. */
export const LONGEST_CLIENT = 64;
/** 3.2: bytes of the body of a WELCOME. */
export const WELCOME_BYTES = 12;
/** 3.5: most bytes of the text of a CLOSE. */
export const LONGEST_TEXT = 256;

/** 3.5: reasons of a CLOSE. */
export const REASON = {
  goodbye: 1,
  protocol: 2,
  refused: 3,
  replaced: 4,
  full: 5,
  silent: 6,
  tooLarge: 7,
  gap: 8,
  version: 9,
} as const;

/** The reason that goes with an error of who reads the stream. */
export function reasonOf(code: ErrorCode): number {
  if (code === 'SLUICE_FRAME_TOO_LARGE') return REASON.tooLarge;
  return code === 'SLUICE_SOURCE_GAP' ? REASON.gap : REASON.protocol;
}

/** 2.3: sequences are whole numbers that a float64 holds. */
export const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER;

const HIGH = 2 ** 32;

export function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/** A number of eight bytes; above 2^53 it is rounded. */
export function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) * HIGH + u32(bytes, at + 4);
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function putU64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / HIGH);
  putU32(bytes, at, high);
  putU32(bytes, at + 4, value - high * HIGH);
}
