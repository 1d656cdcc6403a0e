import { SluiceError } from '../../../runtime/index.js';
import { type Block, readBlock } from './block.js';
import { CODE } from './code.js';
import { isCritical, OPTION } from './option.js';

/** Source: RFC 7252, 3: message types. */
export type MessageType = 'con' | 'non' | 'ack' | 'rst';

export const MESSAGE_TYPES: readonly MessageType[] = ['con', 'non', 'ack', 'rst'];

/** A message that came. Token, tags and payload are parts of its datagram, not copies. */
export interface Message {
  readonly type: MessageType;
  readonly id: number;
  /** See `CODE`. */
  readonly code: number;
  readonly token: Buffer;
  /** Path segments, decoded; undefined: one of them is no text. */
  readonly path: string | undefined;
  /** Source: RFC 7252, 12.3. */
  readonly contentFormat: number | undefined;
  readonly accept: number | undefined;
  readonly observe: number | undefined;
  /** Seconds for which an answer is fresh. */
  readonly maxAge: number | undefined;
  readonly block1: Block | undefined;
  readonly block2: Block | undefined;
  /** Source: RFC 7967, 2.1: bits 2, 4 and 5 for classes 2, 4 and 5 of answers that are not wanted. */
  readonly noResponse: number;
  readonly etag: Buffer | undefined;
  /** What shows that the sender got an answer of ours, or has to show us. Source: RFC 9175, 2. */
  readonly echo: Buffer | undefined;
  /** A critical option that is not known here, or comes twice; 0: none. */
  readonly badOption: number;
  readonly payload: Buffer;
}

type Draft = { -readonly [K in keyof Message]: Message[K] };

const NOTHING = Buffer.alloc(0);
const HEADER = 4;
const MARKER = 0xff;
const LONGEST_TOKEN = 8;
const LONGEST_ETAG = 8;
const LONGEST_ECHO = 40;
const LONGEST_NUMBER = 4;
const ASCII_END = 0x80;
const SLASH = 0x2f;
/** Where the segments of a path are put together: one string for all of them, and none for each. As large as a datagram. */
const segments = Buffer.allocUnsafeSlow(65_536);
let segmentsEnd = 0;

/**
 * Reads one datagram. Refused is what RFC 7252 does not allow: token lengths 9 to 15 (3), a marker without a payload
 * (3), an option that is cut short (3.1), an empty message with something in it (4.1).
 * @throws SluiceError SLUICE_SOURCE_PROTOCOL
 */
export function readMessage(bytes: Buffer): Message {
  if (bytes.length < HEADER) throw malformed(`a datagram of ${bytes.length} bytes; a header has ${HEADER}`);
  const first = bytes[0]!;
  if (first >> 6 !== 1) throw malformed(`version ${first >> 6}, and CoAP has 1`);
  const tokenLength = first & 15;
  if (tokenLength > LONGEST_TOKEN) throw malformed(`a token length of ${tokenLength}; 8 is the most`);
  const code = bytes[1]!;
  if (code === CODE.empty && bytes.length > HEADER) throw malformed('an empty message with something in it');
  const optionsAt = HEADER + tokenLength;
  if (optionsAt > bytes.length) throw malformed('a token that is cut short');
  const message: Draft = {
    type: MESSAGE_TYPES[(first >> 4) & 3]!,
    id: (bytes[2]! << 8) | bytes[3]!,
    code,
    token: tokenLength === 0 ? NOTHING : bytes.subarray(HEADER, optionsAt),
    path: '',
    contentFormat: undefined,
    accept: undefined,
    observe: undefined,
    maxAge: undefined,
    block1: undefined,
    block2: undefined,
    noResponse: 0,
    etag: undefined,
    echo: undefined,
    badOption: 0,
    payload: NOTHING,
  };
  segmentsEnd = 0;
  readOptions(bytes, optionsAt, message);
  if (segmentsEnd > 0) message.path = textOf(segments, 0, segmentsEnd);
  return message;
}

/** What the header of a datagram that cannot be read says, to refuse it with; undefined: not even that. */
export function headerOf(bytes: Buffer): { type: MessageType; id: number } | undefined {
  if (bytes.length < HEADER || bytes[0]! >> 6 !== 1) return undefined;
  return { type: MESSAGE_TYPES[(bytes[0]! >> 4) & 3]!, id: bytes.readUInt16BE(2) };
}

/** Walks over the options and the payload behind them. Source: RFC 7252, 3.1. */
function readOptions(bytes: Buffer, start: number, message: Draft): void {
  const { length } = bytes;
  let at = start;
  let number = 0;
  while (at < length) {
    const head = bytes[at++]!;
    if (head === MARKER) {
      if (at === length) throw malformed('a marker without a payload');
      message.payload = bytes.subarray(at);
      return;
    }
    const delta = head >> 4;
    let size = head & 15;
    if (delta === 15 || size === 15) throw malformed('an option with the reserved length or delta 15');
    const valueAt = at + extra(delta) + extra(size);
    if (valueAt > length) throw malformed('an option that is cut short');
    const step = extended(bytes, at, delta);
    size = extended(bytes, at + extra(delta), size);
    const end = valueAt + size;
    if (end > length) throw malformed('an option that is cut short');
    number += step;
    readOption(bytes, number, valueAt, end, step === 0, message);
    at = end;
  }
}

/** @param again the option before has the same number */
function readOption(
  bytes: Buffer,
  number: number,
  at: number,
  end: number,
  again: boolean,
  message: Draft,
): void {
  switch (number) {
    case OPTION.uriPath:
      addSegment(bytes, at, end);
      return;
    // An origin server that has one name only may pass these over, and queries say nothing to us.
    case OPTION.uriQuery:
      return;
  }
  if (again) {
    // Source: RFC 7252, 5.4.5: an option too many is treated like one that is not known.
    if (isCritical(number)) message.badOption ||= number;
    return;
  }
  switch (number) {
    case OPTION.uriHost:
    case OPTION.uriPort:
      return;
    case OPTION.contentFormat:
      message.contentFormat = uint(bytes, at, end);
      return;
    case OPTION.accept:
      message.accept = uint(bytes, at, end);
      return;
    case OPTION.observe:
      message.observe = uint(bytes, at, end);
      return;
    case OPTION.maxAge:
      message.maxAge = uint(bytes, at, end);
      return;
    case OPTION.noResponse:
      message.noResponse = uint(bytes, at, end);
      return;
    case OPTION.block1:
      message.block1 = readBlock(bytes, at, end);
      return;
    case OPTION.block2:
      message.block2 = readBlock(bytes, at, end);
      return;
    case OPTION.etag:
      if (end > at && end - at <= LONGEST_ETAG) message.etag = bytes.subarray(at, end);
      return;
    case OPTION.echo:
      if (end > at && end - at <= LONGEST_ECHO) message.echo = bytes.subarray(at, end);
      return;
    default:
      if (isCritical(number)) message.badOption ||= number;
  }
}

function addSegment(bytes: Buffer, at: number, end: number): void {
  if (at === end) return;
  if (segmentsEnd + 1 + end - at > segments.length) throw malformed('a path that no datagram holds');
  if (segmentsEnd > 0) segments[segmentsEnd++] = SLASH;
  for (let n = at; n < end; n++) segments[segmentsEnd++] = bytes[n]!;
}

/** Undefined: it is no UTF-8. */
function textOf(bytes: Buffer, at: number, end: number): string | undefined {
  let isPlain = true;
  for (let n = at; n < end; n++) isPlain &&= bytes[n]! < ASCII_END;
  if (isPlain) return bytes.toString('latin1', at, end);
  const text = bytes.toString('utf8', at, end);
  return Buffer.byteLength(text) === end - at && !text.includes('\ufffd') ? text : undefined;
}

/** Source: RFC 7252, 3.2: an unsigned number, leading zeros left out. */
function uint(bytes: Buffer, at: number, end: number): number {
  if (end - at > LONGEST_NUMBER) throw malformed(`a number of ${end - at} bytes in an option`);
  let value = 0;
  for (let n = at; n < end; n++) value = value * 256 + bytes[n]!;
  return value;
}

/** Bytes that follow a delta or a length of 13 or 14. */
function extra(nibble: number): number {
  return nibble < 13 ? 0 : nibble - 12;
}

function extended(bytes: Buffer, at: number, nibble: number): number {
  if (nibble < 13) return nibble;
  return nibble === 13 ? bytes[at]! + 13 : ((bytes[at]! << 8) | bytes[at + 1]!) + 269;
}

function malformed(what: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', what);
}
