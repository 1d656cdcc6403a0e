/**
 * Numbers of MQTT that a client meets. Sources: OASIS MQTT 3.1.1 (29 October 2014), below "3.1.1", and
 * OASIS MQTT 5.0 (7 March 2019), below "5.0".
 */

/** The protocol level in CONNECT: 4 is MQTT 3.1.1 (3.1.1 §3.1.2.2), 5 is MQTT 5.0 (5.0 §3.1.2.2). */
export type MqttVersion = 4 | 5;

/** Control packet types, 5.0 §2.1.2 (the same in 3.1.1 §2.2.1; 15 is new in 5.0). */
export const PACKET = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

const PACKET_NAMES = [
  'reserved type 0',
  'CONNECT',
  'CONNACK',
  'PUBLISH',
  'PUBACK',
  'PUBREC',
  'PUBREL',
  'PUBCOMP',
  'SUBSCRIBE',
  'SUBACK',
  'UNSUBSCRIBE',
  'UNSUBACK',
  'PINGREQ',
  'PINGRESP',
  'DISCONNECT',
  'AUTH',
];

export function packetName(type: number): string {
  return PACKET_NAMES[type] ?? `type ${type}`;
}

/** Bits of the first byte of PUBLISH, 5.0 §3.3.1 (the same in 3.1.1). */
export const PUBLISH_FLAG = { retain: 0x01, qos1: 0x02, qos2: 0x04, qosMask: 0x06, dup: 0x08 } as const;

/** Property identifiers, 5.0 §2.2.2.2. */
export const PROPERTY_ID = {
  payloadFormatIndicator: 1,
  messageExpiryInterval: 2,
  contentType: 3,
  responseTopic: 8,
  correlationData: 9,
  subscriptionIdentifier: 11,
  sessionExpiryInterval: 17,
  assignedClientId: 18,
  serverKeepAlive: 19,
  authenticationMethod: 21,
  authenticationData: 22,
  responseInformation: 26,
  serverReference: 28,
  reasonString: 31,
  receiveMaximum: 33,
  topicAliasMaximum: 34,
  topicAlias: 35,
  maximumQos: 36,
  retainAvailable: 37,
  userProperty: 38,
  maximumPacketSize: 39,
  wildcardAvailable: 40,
  subscriptionIdsAvailable: 41,
  sharedAvailable: 42,
} as const;

/** Largest value of a Variable Byte Integer, 5.0 §1.5.5 (3.1.1 §2.2.3): 256 MiB - 1. */
export const MAX_REMAINING = 268_435_455;

/** A string or binary field carries its length in two bytes, 5.0 §1.5.4. */
export const MAX_STRING = 65_535;
