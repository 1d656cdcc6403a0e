import { SluiceError } from '../../../runtime/index.js';
import { MAX_STRING, type MqttVersion, PACKET, PROPERTY_ID } from './constants.js';
import { varintSize, writeVarint } from './varint.js';

/** What CONNECT says. */
export interface ConnectOptions {
  readonly version: MqttVersion;
  readonly clientId: string;
  /** Clean Session (3.1.1) or Clean Start (5.0). */
  readonly clean: boolean;
  /** Seconds, 0 to 65,535; 0 turns it off. */
  readonly keepAlive: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly will?: ConnectWill | undefined;
  /** Seconds that a 5.0 broker keeps the session after the connection is gone. */
  readonly sessionExpiry: number;
  /** The largest packet that we take, said to a 5.0 broker; left out: any. */
  readonly maximumPacketSize?: number | undefined;
  /** How many publications at QoS 1 and 2 may be on their way to us, said to a 5.0 broker; left out: 65,535. */
  readonly receiveMaximum?: number | undefined;
}

export interface ConnectWill {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/**
 * CONNECT, 5.0 §3.1 and 3.1.1 §3.1.
 * @throws SluiceError SLUICE_CONFIG_INVALID if a field does not fit its two length bytes
 */
export function encodeConnect(options: ConnectOptions): Buffer {
  const { version, will, username, password } = options;
  if (version === 4 && password !== undefined && username === undefined) {
    // 3.1.1 §3.1.2.9 [MQTT-3.1.2-22]; 5.0 allows it.
    throw new SluiceError(
      'SLUICE_CONFIG_INVALID',
      'MQTT 3.1.1 does not allow a password without a user name.',
    );
  }
  // §3.1.2.3: bit 0 is reserved and 0 [MQTT-3.1.2-3].
  let flags = options.clean ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (username !== undefined) flags |= 0x80;
  const parts: Uint8Array[] = [
    Buffer.from([
      0,
      4,
      0x4d,
      0x51,
      0x54,
      0x54,
      version,
      flags,
      options.keepAlive >> 8,
      options.keepAlive & 0xff,
    ]),
  ];
  if (version === 5) parts.push(connectProperties(options));
  // §3.1.3: client id, will properties, will topic, will payload, user name, password, in this order [MQTT-3.1.3-1].
  parts.push(field('client id', options.clientId));
  if (will !== undefined) {
    if (version === 5) parts.push(Buffer.from([0]));
    parts.push(field('will topic', will.topic), field('will payload', will.payload));
  }
  if (username !== undefined) parts.push(field('user name', username));
  if (password !== undefined) parts.push(field('password', password));
  return packet(PACKET.connect, Buffer.concat(parts));
}

/** 5.0 §3.1.2.11. */
function connectProperties(options: ConnectOptions): Buffer {
  const { sessionExpiry, maximumPacketSize, receiveMaximum } = options;
  const out = Buffer.alloc(14);
  let at = 1;
  out[at] = PROPERTY_ID.sessionExpiryInterval;
  at = out.writeUInt32BE(sessionExpiry, at + 1);
  if (maximumPacketSize !== undefined) {
    out[at] = PROPERTY_ID.maximumPacketSize;
    at = out.writeUInt32BE(maximumPacketSize, at + 1);
  }
  if (receiveMaximum !== undefined) {
    out[at] = PROPERTY_ID.receiveMaximum;
    at = out.writeUInt16BE(receiveMaximum, at + 1);
  }
  out[0] = at - 1;
  return out.subarray(0, at);
}

/**
 * SUBSCRIBE, 5.0 §3.8 and 3.1.1 §3.8. In 5.0 retained messages come with new subscriptions only (Retain
 * Handling 1), so that a connection that is made anew does not bring them again.
 * @param packetId 1 to 65,535
 */
export function encodeSubscribe(
  version: MqttVersion,
  packetId: number,
  topics: readonly string[],
  qos: 0 | 1 | 2,
): Buffer {
  const parts: Uint8Array[] = [Buffer.from([packetId >> 8, packetId & 0xff, ...(version === 5 ? [0] : [])])];
  const options = Buffer.from([version === 5 ? 0x10 | qos : qos]);
  for (const topic of topics) parts.push(field('topic filter', topic), options);
  return packet(PACKET.subscribe, Buffer.concat(parts), 0x02); // §3.8.1 [MQTT-3.8.1-1]: these flags.
}

/** PINGREQ, §3.12. */
export const PINGREQ: Buffer = Buffer.from([PACKET.pingreq << 4, 0]);

/** DISCONNECT, §3.14. In 5.0 the reason may be left out when it is 0 (normal disconnection). */
export const DISCONNECT: Buffer = Buffer.from([PACKET.disconnect << 4, 0]);

/** 5.0 DISCONNECT that also ends the session: reason 0, Session Expiry Interval 0 (§3.14.2.2.2). */
export const DISCONNECT_END_SESSION: Buffer = Buffer.from([
  PACKET.disconnect << 4,
  7,
  0,
  5,
  PROPERTY_ID.sessionExpiryInterval,
  0,
  0,
  0,
  0,
]);

function field(name: string, value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  if (bytes.length > MAX_STRING) {
    throw new SluiceError(
      'SLUICE_CONFIG_INVALID',
      `The ${name} has ${bytes.length} bytes; MQTT allows ${MAX_STRING}.`,
    );
  }
  const out = Buffer.allocUnsafe(2 + bytes.length);
  out.writeUInt16BE(bytes.length, 0);
  out.set(bytes, 2);
  return out;
}

function packet(type: number, body: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(1 + varintSize(body.length));
  head[0] = (type << 4) | flags;
  writeVarint(head, 1, body.length);
  return Buffer.concat([head, body]);
}
