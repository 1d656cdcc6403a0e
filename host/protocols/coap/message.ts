import { parse } from 'coap-packet';
import { SluiceError } from '../../../runtime/index.js';
import { type Block, readBlock } from './block.js';

/** Source: RFC 7252, 3: message types. */
export type MessageType = 'con' | 'non' | 'ack' | 'rst';

/** A message as a server sees it. */
export interface Message {
  readonly type: MessageType;
  readonly id: number;
  /** As `0.02`; `0.00` is empty. */
  readonly code: string;
  readonly token: Buffer;
  /** Path segments, decoded; undefined: one of them is no text, or none of a topic. */
  readonly path: string | undefined;
  /** Source: RFC 7252, 12.3. */
  readonly contentFormat: number | undefined;
  readonly accept: number | undefined;
  readonly observe: number | undefined;
  readonly block1: Block | undefined;
  readonly block2: Block | undefined;
  /** Source: RFC 7967, 2.1: bits 2, 4 and 5 for classes 2, 4 and 5 of answers that are not wanted. */
  readonly noResponse: number;
  /** A critical option that is not known here: its number or name. */
  readonly badOption: string | undefined;
  readonly payload: Buffer;
}

const NOTHING = Buffer.alloc(0);
const HEADER = 4;
const MARKER = 0xff;
const TYPES: readonly MessageType[] = ['con', 'non', 'ack', 'rst'];
/** Options that a message may have once. Source: RFC 7252, 5.10; RFC 7641, 2; RFC 7959, 2.1. */
const ONCE = new Set(['Content-Format', 'Accept', 'Observe', 'Block1', 'Block2', 'Uri-Host', 'Uri-Port']);
/** Critical options that are understood (or may be passed over by an origin server). */
const KNOWN = new Set(['Uri-Host', 'Uri-Port', 'Uri-Path', 'Uri-Query', 'Accept', 'Block1', 'Block2']);
const ELECTIVE = new Set([
  ...[
    'ETag',
    'Observe',
    'Location-Path',
    'Content-Format',
    'Max-Age',
    'Hop-Limit',
    'Location-Query',
    'Size2',
    'Size1',
  ],
  'No-Response',
]);

/**
 * Reads one datagram. What coap-packet lets through and RFC 7252 does not is refused here: token lengths 9 to 15
 * (3), a marker without a payload (3), an empty message with something in it (4.1).
 * @throws SluiceError SLUICE_SOURCE_PROTOCOL
 */
export function readMessage(bytes: Buffer): Message {
  if (bytes.length < HEADER) throw malformed(`a datagram of ${bytes.length} bytes; a header has ${HEADER}`);
  const first = bytes[0]!;
  if (first >> 6 !== 1) throw malformed(`version ${first >> 6}, and CoAP has 1`);
  if ((first & 15) > 8) throw malformed(`a token length of ${first & 15}; 8 is the most`);
  if (bytes[1] === 0 && bytes.length > HEADER) throw malformed('an empty message with something in it');
  const type = TYPES[(first >> 4) & 3]!;
  const id = bytes.readUInt16BE(2);
  if (bytes[1] === 0) return { ...EMPTY, type, id };
  checkOptions(bytes);
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(bytes);
  } catch (thrown) {
    throw malformed((thrown as Error).message);
  }
  return {
    type,
    id,
    code: parsed.code,
    token: parsed.token,
    payload: parsed.payload,
    ...readOptions(parsed.options),
  };
}

/** What the header of a datagram that cannot be read says, to refuse it with; undefined: not even that. */
export function headerOf(bytes: Buffer): { type: MessageType; id: number } | undefined {
  if (bytes.length < HEADER || bytes[0]! >> 6 !== 1) return undefined;
  return { type: TYPES[(bytes[0]! >> 4) & 3]!, id: bytes.readUInt16BE(2) };
}

type Options = ReturnType<typeof parse>['options'];
type Read = Pick<
  Message,
  'path' | 'contentFormat' | 'accept' | 'observe' | 'block1' | 'block2' | 'noResponse' | 'badOption'
>;

const EMPTY: Omit<Message, 'type' | 'id'> = {
  code: '0.00',
  token: NOTHING,
  path: '',
  contentFormat: undefined,
  accept: undefined,
  observe: undefined,
  block1: undefined,
  block2: undefined,
  noResponse: 0,
  badOption: undefined,
  payload: NOTHING,
};

function readOptions(options: Options): Read {
  const seen = new Map<string, Buffer>();
  const path: string[] = [];
  let isText = true;
  let badOption: string | undefined;
  for (const { name, value } of options) {
    const key = String(name);
    // Source: RFC 7252, 5.4.5: an option too many is treated like one that is not known.
    const again = ONCE.has(key) && seen.has(key);
    // Of options without a name in coap-packet the number tells. Source: RFC 7252, 5.4.6.
    const number = Number(name);
    const critical = Number.isNaN(number) ? !ELECTIVE.has(key) : number % 2 === 1;
    if (critical && (again || !KNOWN.has(key))) badOption ??= key;
    if (again) continue;
    if (key === 'Uri-Path') {
      const segment = value.toString('utf8');
      isText &&= Buffer.byteLength(segment) === value.length && !segment.includes('\ufffd');
      path.push(segment);
    }
    seen.set(key, value);
  }
  const number = (key: string): number | undefined => {
    const value = seen.get(key);
    return value === undefined ? undefined : uintOf(value);
  };
  const block = (key: string): Block | undefined => {
    const value = seen.get(key);
    return value === undefined ? undefined : readBlock(value);
  };
  return {
    path: isText ? path.filter(segment => segment !== '').join('/') : undefined,
    contentFormat: number('Content-Format'),
    accept: number('Accept'),
    observe: number('Observe'),
    block1: block('Block1'),
    block2: block('Block2'),
    noResponse: number('No-Response') ?? 0,
    badOption,
  };
}

/** Source: RFC 7252, 3.2: an unsigned number, leading zeros left out. */
function uintOf(value: Buffer): number {
  if (value.length > 4) throw malformed(`a number of ${value.length} bytes in an option`);
  return value.length === 0 ? 0 : value.readUIntBE(0, value.length);
}

export function uint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 255);
  return Buffer.from(bytes);
}

/** Walks over the options as RFC 7252, 3.1 lays them out, so that nothing is read beyond the end. */
function checkOptions(bytes: Buffer): void {
  let at = HEADER + (bytes[0]! & 15);
  if (at > bytes.length) throw malformed('a token that is cut short');
  while (at < bytes.length) {
    const head = bytes[at++]!;
    if (head === MARKER) {
      if (at === bytes.length) throw malformed('a marker without a payload');
      return;
    }
    const delta = head >> 4;
    const length = head & 15;
    if (delta === 15 || length === 15) throw malformed('an option with the reserved length or delta 15');
    at += extended(delta);
    const more = extended(length);
    if (at + more > bytes.length) throw malformed('an option that is cut short');
    at += more + (more === 0 ? length : more === 1 ? bytes[at]! + 13 : bytes.readUInt16BE(at) + 269);
    if (at > bytes.length) throw malformed('an option that is cut short');
  }
}

function extended(nibble: number): number {
  return nibble === 13 ? 1 : nibble === 14 ? 2 : 0;
}

function malformed(what: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', what);
}
