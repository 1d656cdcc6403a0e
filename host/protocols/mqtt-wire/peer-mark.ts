/** No topic that is published has one [MQTT-3.3.2-2], so what begins with it was marked by us. */
const SIGN = '#';
const BYTE = 0x23;

/**
 * Who published, in front of a topic: `#10.0.0.7#in/a`. So the embedded broker tells the sources of its gateway, over a
 * protocol (3.1.1) that has no properties.
 */
export function markTopic(peer: string, topic: string): string {
  return `${SIGN}${peer}${SIGN}${topic}`;
}

export function isMarked(topic: string): boolean {
  return topic.startsWith(SIGN);
}

/** Where the mark of the topic `bytes[start, end)` ends with its second sign; -1: it has none. */
export function markEnd(bytes: Uint8Array, start: number, end: number): number {
  if (start === end || bytes[start] !== BYTE) return -1;
  for (let at = start + 1; at < end; at++) if (bytes[at] === BYTE) return at;
  return -1;
}
