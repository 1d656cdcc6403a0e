import { PUBLISH_FLAG } from './constants.js';
import { readVarint, varintSize, writeVarint } from './varint.js';

/** What a broker cannot take, found out after messages were encoded for it. */
export interface Adaptation {
  /** The packet was encoded for 5.0 and is to become 3.1.1: drop the property field. */
  readonly dropProperties: boolean;
  /** True while packets carry the 5.0 property field. */
  readonly hasProperties: boolean;
  /** The broker takes QoS 0 only, 5.0 §3.2.2.3.4 [MQTT-3.2.2-11]. */
  readonly dropQos: boolean;
  /** The broker has no retained messages, 5.0 §3.2.2.3.5 [MQTT-3.2.2-14]. */
  readonly dropRetain: boolean;
}

/**
 * Rewrites one PUBLISH of our own in place, right-aligned: topic and header move up against the
 * properties or the payload, which stay. Returns the new offset; the packet still ends at `end`.
 */
export function adaptPublish(bytes: Buffer, at: number, end: number, how: Adaptation): number {
  let flags = bytes[at]!;
  if (how.dropRetain) flags &= ~PUBLISH_FLAG.retain;
  const hasId = (flags & PUBLISH_FLAG.qosMask) !== 0;
  const topic = at + 1 + varintSize(readVarint(bytes, at + 1, end));
  const topicEnd = topic + 2 + bytes.readUInt16BE(topic);
  const idEnd = topicEnd + (hasId ? 2 : 0);
  // Where what is kept behind the identifier begins: the properties, or the payload.
  let tail = idEnd;
  if (how.hasProperties && how.dropProperties) {
    const properties = readVarint(bytes, idEnd, end);
    tail = idEnd + varintSize(properties) + properties;
  }
  let headEnd = idEnd;
  if (how.dropQos && hasId) {
    flags &= ~(PUBLISH_FLAG.qosMask | PUBLISH_FLAG.dup);
    headEnd = topicEnd;
  }
  const newTopic = tail - (headEnd - topic);
  bytes.copyWithin(newTopic, topic, headEnd);
  const remaining = end - newTopic;
  const start = newTopic - varintSize(remaining) - 1;
  bytes[start] = flags;
  writeVarint(bytes, start + 1, remaining);
  return start;
}
