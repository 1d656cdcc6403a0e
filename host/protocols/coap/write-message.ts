import { MESSAGE_TYPES, type MessageType } from './message.js';
import type { Option } from './option.js';

export interface Outgoing {
  readonly type: MessageType;
  readonly id: number;
  /** See `CODE`. */
  readonly code: number;
  readonly token: Uint8Array;
  /** In any order; those of one number stay in theirs. */
  readonly options?: readonly Option[];
  readonly payload?: Uint8Array | undefined;
}

const HEADER = 4;
const MARKER = 0xff;
const VERSION = 0x40;
const NONE: readonly Option[] = [];

/** One datagram. Source: RFC 7252, 3. @param into taken if it has the right size */
export function writeMessage(message: Outgoing, into?: Buffer): Buffer {
  const { type, id, code, token, options = NONE, payload } = message;
  const inOrder = options.length < 2 ? options : options.toSorted((a, b) => a.number - b.number);
  const body = payload === undefined || payload.length === 0 ? 0 : payload.length + 1;
  let size = HEADER + token.length + body;
  let before = 0;
  for (const { number, value } of inOrder) {
    size += 1 + extra(number - before) + extra(value.length) + value.length;
    before = number;
  }
  const bytes = into?.length === size ? into : Buffer.allocUnsafe(size);
  bytes[0] = VERSION | (MESSAGE_TYPES.indexOf(type) << 4) | token.length;
  bytes[1] = code;
  bytes[2] = id >> 8;
  bytes[3] = id & 255;
  for (let n = 0; n < token.length; n++) bytes[HEADER + n] = token[n]!;
  let at = HEADER + token.length;
  before = 0;
  for (const { number, value } of inOrder) {
    bytes[at] = (nibble(number - before) << 4) | nibble(value.length);
    at = extend(bytes, at + 1, number - before);
    at = extend(bytes, at, value.length);
    bytes.set(value, at);
    at += value.length;
    before = number;
  }
  if (body > 0) {
    bytes[at] = MARKER;
    bytes.set(payload!, at + 1);
  }
  return bytes;
}

/** An empty message: an acknowledgement, a reset, or the question whether somebody is there. Source: RFC 7252, 4.1. */
export function emptyMessage(type: MessageType, id: number): Buffer {
  return Buffer.from([VERSION | (MESSAGE_TYPES.indexOf(type) << 4), 0, id >> 8, id & 255]);
}

function nibble(value: number): number {
  return value < 13 ? value : value < 269 ? 13 : 14;
}

function extra(value: number): number {
  return value < 13 ? 0 : value < 269 ? 1 : 2;
}

function extend(bytes: Buffer, at: number, value: number): number {
  if (value < 13) return at;
  if (value < 269) {
    bytes[at] = value - 13;
    return at + 1;
  }
  return bytes.writeUInt16BE(value - 269, at);
}
