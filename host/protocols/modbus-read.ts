/**
 * The four read functions of Modbus: requests written into a caller's buffer, answers checked in place.
 *
 * Source: MODBUS Application Protocol V1.1b3, 6.1 to 6.4 (requests, answers, quantities) and 7 (exceptions).
 */
import { MBAP, type MbapParser } from './mbap.js';

export type ReadKind = 'coils' | 'discrete' | 'holding' | 'input';

/** Function code and the most that one request may ask for. */
export const READ: Readonly<Record<ReadKind, { readonly code: number; readonly most: number }>> = {
  coils: { code: 1, most: 2000 },
  discrete: { code: 2, most: 2000 },
  holding: { code: 3, most: 125 },
  input: { code: 4, most: 125 },
};

export const READ_REQUEST_BYTES = 12;

/** Set in the function code of an exception. */
const EXCEPTION = 0x80;
/** Bytes of an answer in front of the data: header, function, byte count. */
export const ANSWER_HEAD = 9;
const EXCEPTION_BYTES = 9;

/** Bytes of data in the answer: bits are packed by eight, registers have two bytes. */
export function readDataBytes(code: number, count: number): number {
  return code <= READ.discrete.code ? (count + 7) >> 3 : count * 2;
}

/** Bytes of the whole ADU that answers a request (an exception is never longer). */
export function readAnswerBytes(code: number, count: number): number {
  return ANSWER_HEAD + readDataBytes(code, count);
}

/** Writes a read request at `at` and gives the offset behind it (READ_REQUEST_BYTES further on). */
export function encodeRead(
  into: Uint8Array,
  at: number,
  transaction: number,
  unit: number,
  code: number,
  first: number,
  count: number,
): number {
  into[at] = transaction >> 8;
  into[at + 1] = transaction;
  into[at + 2] = 0;
  into[at + 3] = 0;
  into[at + 4] = 0;
  into[at + 5] = READ_REQUEST_BYTES - MBAP.unit;
  into[at + 6] = unit;
  into[at + 7] = code;
  into[at + 8] = first >> 8;
  into[at + 9] = first;
  into[at + 10] = count >> 8;
  into[at + 11] = count;
  return at + READ_REQUEST_BYTES;
}

/**
 * Checks that the parser's frame answers a read request: its data or an exception.
 * Gives undefined, or what does not fit.
 */
export function answerMismatch(
  frame: MbapParser,
  unit: number,
  code: number,
  count: number,
): string | undefined {
  const size = frame.end - frame.start;
  if (frame.unit !== unit) return `answer of unit ${frame.unit} to a request to unit ${unit}`;
  if (frame.function === (code | EXCEPTION)) {
    return size === EXCEPTION_BYTES
      ? undefined
      : `exception of ${size} bytes where ${EXCEPTION_BYTES} are right`;
  }
  if (frame.function !== code) return `answer with function ${frame.function} to a request with ${code}`;
  const bytes = readDataBytes(code, count);
  const claimed = size < ANSWER_HEAD ? 0 : frame.bytes[frame.start + MBAP.data]!;
  if (claimed === bytes && size === ANSWER_HEAD + bytes) return undefined;
  return `answer of ${size} bytes with byte count ${claimed} where ${ANSWER_HEAD + bytes} and ${bytes} are right`;
}

/**
 * Writes the ADU of an answer whose data came without an MBAP header, and gives its size.
 * @param into at least MBAP.maxAdu bytes
 */
export function encodeAnswer(
  into: Uint8Array,
  transaction: number,
  unit: number,
  code: number,
  data: Uint8Array,
): number {
  into.set(data, ANSWER_HEAD);
  return encodeAnswerHead(into, transaction, unit, code, data.length);
}

/** The same around data that is there already, at ANSWER_HEAD. */
export function encodeAnswerHead(
  into: Uint8Array,
  transaction: number,
  unit: number,
  code: number,
  dataBytes: number,
): number {
  encodeHead(into, transaction, unit, code, dataBytes + 3);
  into[MBAP.data] = dataBytes;
  return ANSWER_HEAD + dataBytes;
}

/** The same for an exception. */
export function encodeException(
  into: Uint8Array,
  transaction: number,
  unit: number,
  code: number,
  exception: number,
): number {
  encodeHead(into, transaction, unit, code | EXCEPTION, 3);
  into[MBAP.data] = exception;
  return EXCEPTION_BYTES;
}

function encodeHead(into: Uint8Array, transaction: number, unit: number, code: number, length: number): void {
  into[0] = transaction >> 8;
  into[1] = transaction;
  into[2] = 0;
  into[3] = 0;
  into[4] = length >> 8;
  into[5] = length;
  into[6] = unit;
  into[7] = code;
}
