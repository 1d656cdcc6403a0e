import { SluiceError } from '../../../runtime/index.js';
import type { FrameReader } from './frame-reader.js';
import {
  FLAG,
  HEADER,
  LAST_SEQUENCE,
  LONGEST_CLIENT,
  LONGEST_TEXT,
  TRACE_BYTES,
  u32,
  u64,
  WELCOME_BYTES,
} from './wire.js';

/** 3.1 */
export interface Hello {
  readonly client: string;
  /** The run of the client's numbering: the same as long as its sequences go on. */
  readonly session: number;
  /** The oldest frame that the client still has, or the first that it will send. */
  readonly first: number;
  readonly token: string;
}

/** 3.2 */
export interface Welcome {
  /** Last frame that the server has taken; the client goes on behind it. */
  readonly taken: number;
  /** Most frames that may be under way unacknowledged. */
  readonly window: number;
  /** Most bytes of a frame. */
  readonly maxFrame: number;
  /** A client that has nothing to send says PING so often. */
  readonly keepAliveMs: number;
}

/** 3.5 */
export interface Close {
  readonly reason: number;
  readonly text: string;
}

const CLIENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function readHello(frame: FrameReader): Hello {
  checkFlags(frame, 0);
  const { bytes, bodyStart: at, bodyEnd } = frame;
  const clientStart = at + 9;
  const tokenLength = clientStart + (at + 8 < bodyEnd ? bytes[at + 8]! : 0);
  if (tokenLength >= bodyEnd || tokenLength + 1 + bytes[tokenLength]! !== bodyEnd)
    throw malformed('a HELLO whose lengths do not add up');
  const client = latin1(bytes, clientStart, tokenLength);
  if (client.length > LONGEST_CLIENT || !CLIENT.test(client))
    throw malformed(`a client id that is not 1 to ${LONGEST_CLIENT} of letters, digits, dot, _ and -`);
  const session = u64(bytes, at);
  if (session === 0 || session > LAST_SEQUENCE) throw malformed('a session that is not 1 to 2^53-1');
  checkSequence(frame, 1);
  return { client, session, first: frame.sequence, token: latin1(bytes, tokenLength + 1, bodyEnd) };
}

/** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function readWelcome(frame: FrameReader): Welcome {
  checkFlags(frame, 0);
  checkSequence(frame, 0);
  const { bytes, bodyStart: at, bodyEnd } = frame;
  if (bodyEnd - at < WELCOME_BYTES) throw malformed('a WELCOME that is too short');
  const window = u32(bytes, at);
  const maxFrame = u32(bytes, at + 4);
  if (window === 0 || maxFrame < HEADER.least) throw malformed('a WELCOME that leaves no room for a frame');
  return { taken: frame.sequence, window, maxFrame, keepAliveMs: u32(bytes, at + 8) };
}

/** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function readClose({ bytes, bodyStart: at, bodyEnd }: FrameReader): Close {
  if (bodyEnd - at < 2) throw malformed('a CLOSE without a reason');
  const text = Buffer.from(bytes.subarray(at + 2, Math.min(bodyEnd, at + 2 + LONGEST_TEXT)));
  return { reason: (bytes[at]! << 8) | bytes[at + 1]!, text: text.toString('utf8') };
}

/** Where the parts of a DATA frame lie. One object is used for one after the other. */
export class DataFrame {
  /** `[topicStart, topicEnd)` of the frame's bytes; empty without a topic. */
  topicStart = 0;
  topicEnd = 0;
  /** 25 bytes of trace context; -1: there are none. */
  trace = -1;
  payloadStart = 0;
  payloadEnd = 0;

  /** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
  read(frame: FrameReader): void {
    checkFlags(frame, FLAG.known);
    checkSequence(frame, 1);
    const { bytes, flags, bodyEnd } = frame;
    let at = frame.bodyStart;
    this.trace = -1;
    if ((flags & FLAG.trace) !== 0) {
      if (bodyEnd - at < TRACE_BYTES) throw malformed('a frame that ends within its trace context');
      this.trace = at;
      at += TRACE_BYTES;
    }
    this.topicStart = this.topicEnd = at;
    if ((flags & FLAG.topic) !== 0) {
      const length = bodyEnd - at < 2 ? -1 : (bytes[at]! << 8) | bytes[at + 1]!;
      if (length < 0 || bodyEnd - at - 2 < length) throw malformed('a frame that ends within its topic');
      if (length === 0) throw malformed('an empty topic');
      this.topicStart = at + 2;
      at = this.topicEnd = at + 2 + length;
    }
    this.payloadStart = at;
    this.payloadEnd = bodyEnd;
  }
}

/** @throws SluiceError SLUICE_SOURCE_PROTOCOL */
export function checkSequence({ sequence, type }: FrameReader, least: number): void {
  if (sequence < least || sequence > LAST_SEQUENCE)
    throw malformed(`the sequence ${sequence} in a frame of type ${type}`);
}

function checkFlags({ flags, type }: FrameReader, known: number): void {
  const unknown = flags & FLAG.mustKnow & ~known;
  if (unknown !== 0)
    throw malformed(
      `the flags 0x${unknown.toString(16)} in a frame of type ${type}, which version 1 does not know`,
    );
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return '';
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

function malformed(what: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', what);
}
