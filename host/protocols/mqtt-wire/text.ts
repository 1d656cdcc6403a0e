import { MAX_STRING } from './constants.js';

/**
 * Checks on strings. One wrong string that goes out makes a broker close the connection, and what is sent
 * again after that closes it again: so nothing doubtful may leave. What comes in need only be text.
 */

/** What is wrong with a string; `ok` is 0 so that the hot path compares with a number. */
export const TEXT = { ok: 0, empty: 1, tooLong: 2, wildcard: 3, control: 4, notUtf8: 5 } as const;
export type TextDefect = (typeof TEXT)[keyof typeof TEXT];

const DEFECT_WORDS: Readonly<Record<TextDefect, string>> = {
  [TEXT.ok]: 'is fine',
  [TEXT.empty]: 'is empty',
  [TEXT.tooLong]: `is longer than ${MAX_STRING} bytes`,
  [TEXT.wildcard]: 'holds a wildcard (+ or #)',
  [TEXT.control]: 'holds a NUL or another control character',
  [TEXT.notUtf8]: 'is not UTF-8',
};

export function defectText(defect: TextDefect): string {
  return DEFECT_WORDS[defect];
}

const PLUS = 0x2b;
const HASH = 0x23;

/** `bytes[start, end)` as the name of a topic to publish to, behind a prefix of `before` bytes (not looked at). */
export function checkTopic(bytes: Uint8Array, start: number, end: number, before: number): TextDefect {
  // 5.0 §4.7.3 [MQTT-4.7.3-1]: at least one character. [MQTT-4.7.3-3]: at most 65,535 bytes.
  if (start === end) return TEXT.empty;
  if (end - start + before > MAX_STRING) return TEXT.tooLong;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    // 5.0 §3.3.2.1 [MQTT-3.3.2-2]: no wildcards in PUBLISH.
    if (byte === PLUS || byte === HASH) return TEXT.wildcard;
    if (byte < 0x20 || byte >= 0x7f) {
      const defect = checkUtf8(bytes, i, end);
      if (defect !== TEXT.ok) return defect;
      return hasWildcard(bytes, i, end) ? TEXT.wildcard : TEXT.ok;
    }
  }
  return TEXT.ok;
}

/** `bytes[start, end)` as any other string of a packet (content type, user property). May be empty. */
export function checkString(bytes: Uint8Array, start: number, end: number): TextDefect {
  if (end - start > MAX_STRING) return TEXT.tooLong;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte < 0x20 || byte >= 0x7f) return checkUtf8(bytes, i, end);
  }
  return TEXT.ok;
}

/** `bytes[start, end)` as a topic that a broker has passed on: as `checkTopic`, with control characters but NUL. */
export function checkReceivedTopic(bytes: Uint8Array, start: number, end: number): TextDefect {
  if (start === end) return TEXT.empty;
  const defect = checkReceived(bytes, start, end);
  return defect === TEXT.ok && hasWildcard(bytes, start, end) ? TEXT.wildcard : defect;
}

/** `bytes[start, end)` as any other string that a broker has passed on: UTF-8 without NUL. */
export function checkReceived(bytes: Uint8Array, start: number, end: number): TextDefect {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0 || byte >= 0x80) return checkUtf8(bytes, i, end, true);
  }
  return TEXT.ok;
}

/**
 * 5.0 §1.5.4 (3.1.1 §1.5.3): well-formed UTF-8, no surrogates [MQTT-1.5.4-1], no U+0000 [MQTT-1.5.4-2].
 * Control characters and non-characters SHOULD NOT be sent and a broker may close the connection for
 * them (mosquitto does), so they are refused too, unless `controls` are allowed.
 */
function checkUtf8(bytes: Uint8Array, start: number, end: number, controls = false): TextDefect {
  let i = start;
  while (i < end) {
    const lead = bytes[i]!;
    if (lead < 0x80) {
      if (lead === 0 || (!controls && (lead < 0x20 || lead === 0x7f))) return TEXT.control;
      i += 1;
      continue;
    }
    const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || i + more >= end) return TEXT.notUtf8;
    let point = lead & (0x3f >> more);
    for (let k = 1; k <= more; k++) {
      const next = bytes[i + k]!;
      if ((next & 0xc0) !== 0x80) return TEXT.notUtf8;
      point = (point << 6) | (next & 0x3f);
    }
    // Overlong forms and what lies beyond Unicode (the Unicode Standard, table 3-7).
    if (more === 2 && point < 0x800) return TEXT.notUtf8;
    if (more === 3 && (point < 0x10000 || point > 0x10ffff)) return TEXT.notUtf8;
    if (point >= 0xd800 && point <= 0xdfff) return TEXT.notUtf8;
    if (!controls && isControl(point)) return TEXT.control;
    i += more + 1;
  }
  return TEXT.ok;
}

/** C1 controls and non-characters. */
function isControl(point: number): boolean {
  return point < 0xa0 || (point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
}

function hasWildcard(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === PLUS || bytes[i] === HASH) return true;
  return false;
}

const SHOWN_BYTES = 120;

/** Bytes from outside as text for a log: everything that is not printable ASCII as \xNN, cut when long. */
export function escapeBytes(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < Math.min(end, start + SHOWN_BYTES); i++) {
    const byte = bytes[i]!;
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return end - start > SHOWN_BYTES ? `${text}... (${end - start} bytes)` : text;
}
