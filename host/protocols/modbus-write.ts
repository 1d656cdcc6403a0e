/**
 * The four plain write functions of Modbus, as a server reads them: requests checked in place, answers
 * written into a caller's buffer, and what was written told again as the answer to a read.
 *
 * Source: MODBUS Application Protocol V1.1b3, 6.5, 6.6, 6.11 and 6.12 (requests, answers, quantities) and 7
 * (exceptions).
 */
import { MBAP, type MbapParser } from './mbap.js';
import { ANSWER_HEAD, encodeAnswerHead, READ } from './modbus-read.js';

const WRITE = { coil: 5, register: 6, coils: 15, registers: 16 } as const;
/** The most that one request may write. */
export const MOST_WRITTEN = { coils: 1968, registers: 123 } as const;

/** Exception codes that a server of ours gives. */
export const EXCEPTION = {
  illegalFunction: 1,
  illegalAddress: 2,
  illegalValue: 3,
  busy: 6,
  /** Of gateways: the unit is not behind this one. */
  noPath: 10,
} as const;

/** Bytes of the answer to any of the four; an exception has fewer. */
export const WRITE_ANSWER_BYTES = 12;

/** Header, function, first address; then the value, or the quantity and behind it the byte count. */
const SECOND = 10;
const BYTE_COUNT = 12;
const DATA = 13;
const SINGLE_BYTES = 12;
const ON = 0xff00;
const ADDRESSES = 0x10000;

/** A write request; one object is used for one after the other, and nothing is allocated for each. */
export class WriteRequest {
  transaction = 0;
  unit = 0;
  function = 0;
  /** First address, from 0. */
  first = 0;
  /** Coils or registers written. */
  count = 0;
  /** Behind the first address in request and answer: the value that was written, else the quantity. */
  second = 0;
  /** The function that reads what is written: 1 or 3. */
  readCode: number = READ.holding.code;
  /** After an exception: what is wrong, for a message. */
  defect = '';
  /** Else: what was written, as the answer to a read of the same addresses, with the same transaction and unit. */
  readonly reply = new Uint8Array(MBAP.maxAdu);
  replyBytes = 0;

  /** Reads the frame that the parser stands on. Gives 0, or the exception that answers it. */
  read(frame: MbapParser): number {
    this.transaction = frame.transaction;
    this.unit = frame.unit;
    this.function = frame.function;
    this.first = this.count = this.second = this.replyBytes = 0;
    switch (frame.function) {
      case WRITE.coil:
      case WRITE.register:
        return this.#single(frame);
      case WRITE.coils:
      case WRITE.registers:
        return this.#several(frame);
      default:
        return this.#fails(EXCEPTION.illegalFunction, `function ${frame.function} is none of 5, 6, 15, 16`);
    }
  }

  get isCoils(): boolean {
    return this.readCode === READ.coils.code;
  }

  #single({ bytes, start, end }: MbapParser): number {
    const size = end - start;
    const coil = this.function === WRITE.coil;
    this.readCode = coil ? READ.coils.code : READ.holding.code;
    if (size !== SINGLE_BYTES) {
      return this.#fails(EXCEPTION.illegalValue, `${size} bytes where ${SINGLE_BYTES} are right`);
    }
    this.first = u16(bytes, start + MBAP.data);
    this.second = u16(bytes, start + SECOND);
    this.count = 1;
    if (coil && this.second !== ON && this.second !== 0) {
      return this.#fails(EXCEPTION.illegalValue, `the value ${this.second} where a coil has 0 or ${ON}`);
    }
    this.reply[ANSWER_HEAD] = coil ? Number(this.second === ON) : this.second >> 8;
    this.reply[ANSWER_HEAD + 1] = this.second;
    return this.#reads(coil ? 1 : 2);
  }

  #several({ bytes, start, end }: MbapParser): number {
    const size = end - start;
    const coils = this.function === WRITE.coils;
    this.readCode = coils ? READ.coils.code : READ.holding.code;
    if (size < DATA) {
      return this.#fails(EXCEPTION.illegalValue, `${size} bytes, which hold no byte count`);
    }
    this.first = u16(bytes, start + MBAP.data);
    this.second = this.count = u16(bytes, start + SECOND);
    const most = coils ? MOST_WRITTEN.coils : MOST_WRITTEN.registers;
    if (this.count < 1 || this.count > most) {
      return this.#fails(EXCEPTION.illegalValue, `a quantity of ${this.count} where 1 to ${most} are right`);
    }
    const wanted = coils ? (this.count + 7) >> 3 : this.count * 2;
    const claimed = bytes[start + BYTE_COUNT]!;
    if (claimed !== wanted || size !== DATA + wanted) {
      const what = `${size} bytes with byte count ${claimed} where ${DATA + wanted} and ${wanted} are right`;
      return this.#fails(EXCEPTION.illegalValue, what);
    }
    if (this.first + this.count > ADDRESSES) {
      const last = this.first + this.count - 1;
      return this.#fails(EXCEPTION.illegalAddress, `addresses ${this.first}-${last}, and the last is 65535`);
    }
    for (let i = 0; i < wanted; i++) this.reply[ANSWER_HEAD + i] = bytes[start + DATA + i]!;
    // 6.1: what is left of the last byte of an answer is padded with zeros; in a request it is anything.
    const left = this.count & 7;
    if (coils && left > 0) this.reply[ANSWER_HEAD + wanted - 1]! &= (1 << left) - 1;
    return this.#reads(wanted);
  }

  #reads(dataBytes: number): 0 {
    this.replyBytes = encodeAnswerHead(this.reply, this.transaction, this.unit, this.readCode, dataBytes);
    return 0;
  }

  #fails(exception: number, defect: string): number {
    this.defect = defect;
    return exception;
  }
}

/** Writes the answer that says that a write was done, and gives the offset behind it. @param second as `WriteRequest.second` */
export function encodeWritten(
  into: Uint8Array,
  at: number,
  transaction: number,
  unit: number,
  code: number,
  first: number,
  second: number,
): number {
  into[at] = transaction >> 8;
  into[at + 1] = transaction;
  into[at + 2] = 0;
  into[at + 3] = 0;
  into[at + 4] = 0;
  into[at + 5] = WRITE_ANSWER_BYTES - MBAP.unit;
  into[at + 6] = unit;
  into[at + 7] = code;
  into[at + 8] = first >> 8;
  into[at + 9] = first;
  into[at + 10] = second >> 8;
  into[at + 11] = second;
  return at + WRITE_ANSWER_BYTES;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
