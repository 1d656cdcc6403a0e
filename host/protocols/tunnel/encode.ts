import { crc32c } from './crc32c.js';
import type { Close, Hello, Welcome } from './messages.js';
import {
  FLAG,
  HEADER,
  LONGEST_TEXT,
  MAGIC,
  putU32,
  putU64,
  TRACE_BYTES,
  TYPE,
  VERSION,
  WELCOME_BYTES,
} from './wire.js';

/** What a client sends in one DATA frame. */
export interface DataParts {
  readonly payload: Uint8Array;
  /** UTF-8. Left out: `<source>/<client>`. */
  readonly topic?: string | undefined;
  /** Milliseconds since 1970, fractions allowed; left out: when the server receives it. */
  readonly timestampMs?: number | undefined;
  /** 25 bytes: trace id, parent id, flags. */
  readonly trace?: Uint8Array | undefined;
}

export function encodeHello({ client, session, first, token }: Hello): Buffer {
  const out = frame(TYPE.hello, first, 10 + client.length + token.length);
  putU64(out, HEADER.body, session);
  const at = HEADER.body + 8;
  out[at] = client.length;
  out.write(client, at + 1, 'latin1');
  out[at + 1 + client.length] = token.length;
  out.write(token, at + 2 + client.length, 'latin1');
  return seal(out);
}

export function encodeWelcome({ taken, window, maxFrame, keepAliveMs }: Welcome): Buffer {
  const out = frame(TYPE.welcome, taken, WELCOME_BYTES);
  putU32(out, HEADER.body, window);
  putU32(out, HEADER.body + 4, maxFrame);
  putU32(out, HEADER.body + 8, keepAliveMs);
  return seal(out);
}

export function encodeData(sequence: number, { payload, topic, timestampMs, trace }: DataParts): Buffer {
  const topicBytes = topic === undefined ? 0 : Buffer.byteLength(topic, 'utf8');
  const head = (trace === undefined ? 0 : TRACE_BYTES) + (topic === undefined ? 0 : 2 + topicBytes);
  const out = frame(TYPE.data, sequence, head + payload.length);
  if (timestampMs !== undefined) putTimestamp(out, timestampMs);
  out[HEADER.flags + 1] = (trace === undefined ? 0 : FLAG.trace) | (topic === undefined ? 0 : FLAG.topic);
  let at: number = HEADER.body;
  if (trace !== undefined) {
    out.set(trace.subarray(0, TRACE_BYTES), at);
    at += TRACE_BYTES;
  }
  if (topic !== undefined) {
    out.writeUInt16BE(topicBytes, at);
    out.write(topic, at + 2, 'utf8');
    at += 2 + topicBytes;
  }
  out.set(payload, at);
  return seal(out);
}

/** ACK, PING and PONG have no body. */
export function encodeBare(type: number, sequence: number): Buffer {
  return seal(frame(type, sequence, 0));
}

export function encodeClose({ reason, text }: Close): Buffer {
  const words = Buffer.from(text, 'utf8').subarray(0, LONGEST_TEXT);
  const out = frame(TYPE.close, 0, 2 + words.length);
  out.writeUInt16BE(reason, HEADER.body);
  out.set(words, HEADER.body + 2);
  return seal(out);
}

function frame(type: number, sequence: number, body: number): Buffer {
  const out = Buffer.allocUnsafe(HEADER.least + body);
  out.fill(0, 0, HEADER.body);
  out[HEADER.magic] = MAGIC;
  out[HEADER.kind] = (VERSION << 4) | type;
  putU32(out, HEADER.length, out.length);
  putU64(out, HEADER.sequence, sequence);
  return out;
}

function seal(out: Buffer): Buffer {
  const end = out.length - HEADER.check;
  putU32(out, end, crc32c(out, 0, end));
  return out;
}

/** A float64 holds today's nanoseconds to 256 of them: whole microseconds go over as they are. */
function putTimestamp(out: Buffer, timestampMs: number): void {
  const micros = Math.round(timestampMs * 1000);
  const high = Math.floor(micros / 2 ** 32);
  const low = (micros - high * 2 ** 32) * 1000;
  const carry = Math.floor(low / 2 ** 32);
  putU32(out, HEADER.timestamp, high * 1000 + carry);
  putU32(out, HEADER.timestamp + 4, low - carry * 2 ** 32);
}
