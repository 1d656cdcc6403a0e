import { PROPERTY_ID } from './constants.js';
import { malformed, type ProtocolCode } from './malformed.js';
import { readVarint, varintSize } from './varint.js';

/** Properties of CONNACK, PUBACK, SUBACK and DISCONNECT that matter to a client. Absent: the default of the clause. */
export interface BrokerProperties {
  /** 5.0 §3.2.2.3.3; 1 to 65,535. */
  receiveMaximum?: number;
  /** 5.0 §3.2.2.3.4; 0 or 1. */
  maximumQos?: number;
  /** 5.0 §3.2.2.3.5. */
  retainAvailable?: boolean;
  /** 5.0 §3.2.2.3.6, bytes. */
  maximumPacketSize?: number;
  /** 5.0 §3.2.2.3.7. */
  assignedClientId?: string;
  /** 5.0 §3.2.2.3.8. */
  topicAliasMaximum?: number;
  /** 5.0 §3.2.2.3.9; text for people. */
  reasonString?: string;
  /** 5.0 §3.2.2.3.14, seconds. */
  serverKeepAlive?: number;
  /** 5.0 §3.2.2.3.2, seconds. */
  sessionExpiryInterval?: number;
  /** 5.0 §3.2.2.3.16. */
  serverReference?: string;
}

type Kind = 'byte' | 'two' | 'four' | 'text' | 'data' | 'pair';

/** 5.0 §2.2.2.2, table 2-4: the type of each property that may appear in these packets. */
const KINDS: Readonly<Record<number, Kind>> = {
  [PROPERTY_ID.sessionExpiryInterval]: 'four',
  [PROPERTY_ID.assignedClientId]: 'text',
  [PROPERTY_ID.serverKeepAlive]: 'two',
  [PROPERTY_ID.authenticationMethod]: 'text',
  [PROPERTY_ID.authenticationData]: 'data',
  [PROPERTY_ID.responseInformation]: 'text',
  [PROPERTY_ID.serverReference]: 'text',
  [PROPERTY_ID.reasonString]: 'text',
  [PROPERTY_ID.receiveMaximum]: 'two',
  [PROPERTY_ID.topicAliasMaximum]: 'two',
  [PROPERTY_ID.maximumQos]: 'byte',
  [PROPERTY_ID.retainAvailable]: 'byte',
  [PROPERTY_ID.userProperty]: 'pair',
  [PROPERTY_ID.maximumPacketSize]: 'four',
  [PROPERTY_ID.wildcardAvailable]: 'byte',
  [PROPERTY_ID.subscriptionIdsAvailable]: 'byte',
  [PROPERTY_ID.sharedAvailable]: 'byte',
};

/** 5.0 §3.4.2.2, §3.9.2.1 and §3.14.2.2: all that PUBACK, SUBACK and DISCONNECT may carry. CONNACK may carry all of KINDS. */
export const ACK_PROPERTIES: ReadonlySet<number> = new Set([
  PROPERTY_ID.reasonString,
  PROPERTY_ID.userProperty,
]);
export const DISCONNECT_PROPERTIES: ReadonlySet<number> = new Set([
  PROPERTY_ID.sessionExpiryInterval,
  PROPERTY_ID.reasonString,
  PROPERTY_ID.userProperty,
  PROPERTY_ID.serverReference,
]);
export const CONNACK_PROPERTIES: ReadonlySet<number> = new Set(Object.keys(KINDS).map(Number));

/**
 * Reads the property field at `at`, which has to end exactly at `end`. What we have no use for is
 * checked for its bounds and skipped.
 * @throws SluiceError with `code`
 */
export function readProperties(
  bytes: Buffer,
  at: number,
  end: number,
  allowed: ReadonlySet<number>,
  packet: string,
  code: ProtocolCode,
): BrokerProperties {
  const broken = (what: string): Error => malformed(code, `${packet}, where ${what}`);
  const length = readVarint(bytes, at, end);
  let i = at + varintSize(Math.max(length, 0));
  if (length < 0 || i + length !== end) throw broken('the property length does not match the packet');
  const found: BrokerProperties = {};
  const seen = new Set<number>();
  while (i < end) {
    // 5.0 §2.2.2.2: the identifier is a Variable Byte Integer, all in use take one byte.
    const id = bytes[i++]!;
    const kind = KINDS[id];
    if (kind === undefined || !allowed.has(id)) throw broken(`property ${id} does not belong there`);
    // 5.0 §2.2.2.2: everything but the user property at most once.
    if (seen.has(id) && id !== PROPERTY_ID.userProperty) throw broken(`property ${id} comes twice`);
    seen.add(id);
    const size = sizeOf(bytes, i, end, kind);
    if (i + size > end) throw broken(`property ${id} is cut short`);
    take(found, id, bytes, i, size, broken);
    i += size;
  }
  return found;
}

function sizeOf(bytes: Buffer, at: number, end: number, kind: Kind): number {
  if (kind === 'byte') return 1;
  if (kind === 'two') return 2;
  if (kind === 'four') return 4;
  if (at + 2 > end) return Number.POSITIVE_INFINITY;
  const first = 2 + bytes.readUInt16BE(at);
  if (kind !== 'pair') return first;
  if (at + first + 2 > end) return Number.POSITIVE_INFINITY;
  return first + 2 + bytes.readUInt16BE(at + first);
}

function take(
  found: BrokerProperties,
  id: number,
  bytes: Buffer,
  at: number,
  size: number,
  broken: (what: string) => Error,
): void {
  const text = (): string => bytes.toString('utf8', at + 2, at + size);
  switch (id) {
    case PROPERTY_ID.receiveMaximum:
      found.receiveMaximum = bytes.readUInt16BE(at);
      if (found.receiveMaximum === 0) throw broken('Receive Maximum is 0'); // §3.2.2.3.3
      break;
    case PROPERTY_ID.maximumQos:
      found.maximumQos = bytes[at]!;
      if (found.maximumQos > 1) throw broken('Maximum QoS is neither 0 nor 1'); // §3.2.2.3.4
      break;
    case PROPERTY_ID.retainAvailable:
      if (bytes[at]! > 1) throw broken('Retain Available is neither 0 nor 1'); // §3.2.2.3.5
      found.retainAvailable = bytes[at] === 1;
      break;
    case PROPERTY_ID.maximumPacketSize:
      found.maximumPacketSize = bytes.readUInt32BE(at);
      if (found.maximumPacketSize === 0) throw broken('Maximum Packet Size is 0'); // §3.2.2.3.6
      break;
    case PROPERTY_ID.topicAliasMaximum:
      found.topicAliasMaximum = bytes.readUInt16BE(at);
      break;
    case PROPERTY_ID.serverKeepAlive:
      found.serverKeepAlive = bytes.readUInt16BE(at);
      break;
    case PROPERTY_ID.sessionExpiryInterval:
      found.sessionExpiryInterval = bytes.readUInt32BE(at);
      break;
    case PROPERTY_ID.assignedClientId:
      found.assignedClientId = text();
      break;
    case PROPERTY_ID.reasonString:
      found.reasonString = text();
      break;
    case PROPERTY_ID.serverReference:
      found.serverReference = text();
      break;
    default:
  }
}
