import { copyWords, FEW_BYTES, LastView } from '../../../runtime/index.js';
import type { MessageView } from '../../../sandbox/index.js';
import { MAX_REMAINING, type MqttVersion, PACKET, PROPERTY_ID, PUBLISH_FLAG } from './constants.js';
import { copy } from './copy.js';
import { checkString, TEXT, type TextDefect } from './text.js';
import { TopicHead } from './topic-head.js';
import { varintSize, writeVarint } from './varint.js';

/** User properties of our own. */
export const ID_PROPERTY = 'sluice-id';
export const LATE_PROPERTY = 'sluice-late';

const ID_HEAD = userProperty(ID_PROPERTY);
const LATE = Buffer.concat([userProperty(LATE_PROPERTY), Buffer.from([0, 4]), Buffer.from('true')]);

/** What names a message; its text is valid UTF-8. */
export interface PublishId {
  readonly length: number;
  /** Returns the offset behind it. */
  write(out: Buffer, at: number): number;
  readonly late: boolean;
}

/** Result of `measure`: what the message may not do, or `ok`. */
export const MEASURE = { ok: 0, topic: 1, property: 2, tooLarge: 3 } as const;
export type Measure = (typeof MEASURE)[keyof typeof MEASURE];

/**
 * Encodes PUBLISH (5.0 §3.3, 3.1.1 §3.3) straight from a view into a buffer of the caller. Two steps,
 * so that the caller finds room first: `measure`, then `write`. Allocates nothing.
 */
export class PublishEncoder {
  readonly #version: MqttVersion;
  readonly #topic: TopicHead;
  #remaining = 0;
  #properties = 0;
  /** Of the slab that messages are read from, and of the memory that they are written to. */
  readonly #from = new LastView();
  readonly #to = new LastView();
  /** Of the message that was measured last. */
  #view: DataView | undefined;

  /** Bytes that `write` is going to take for the message that was measured last. */
  size = 0;
  /** False: the broker has no retained messages, so none is asked for (5.0 §3.2.2.3.5 [MQTT-3.2.2-14]). */
  retainAvailable = true;
  /** After MEASURE.topic or MEASURE.property: what is wrong with the string. */
  defect: TextDefect = TEXT.ok;

  /** @param prefix put before every topic as it is; checked by the caller */
  constructor(version: MqttVersion, prefix: Buffer) {
    this.#version = version;
    this.#topic = new TopicHead(prefix);
  }

  /**
   * Checks the message that the view stands on.
   * @param qos 0 or 1: the one it is sent with
   * @param id goes out as a user property, after those of the message; 3.1.1 has no place for it
   */
  measure(view: MessageView, qos: number, id?: PublishId): Measure {
    const { bytes, topicStart, topicEnd } = view;
    const from = this.#from.of(bytes);
    if (from !== this.#view) this.#view = from;
    this.defect = this.#topic.look(bytes, from, topicStart, topicEnd);
    if (this.defect !== TEXT.ok) return MEASURE.topic;
    let remaining = this.#topic.length + view.payloadEnd - view.payloadStart;
    if (qos > 0) remaining += 2;
    if (this.#version === 5) {
      const properties = this.#measureProperties(view, id);
      if (properties < 0) return MEASURE.property;
      if (properties > MAX_REMAINING) return MEASURE.tooLarge;
      this.#properties = properties;
      remaining += varintSize(properties) + properties;
    }
    if (remaining > MAX_REMAINING) return MEASURE.tooLarge;
    this.#remaining = remaining;
    this.size = 1 + varintSize(remaining) + remaining;
    return MEASURE.ok;
  }

  /**
   * Writes the measured message at `out[at, at + size)`; the caller has made room.
   * @param packetId 1 to 65,535 at QoS 1; 0 at QoS 0, which carries none [MQTT-2.2.1-2]
   */
  write(view: MessageView, out: Buffer, at: number, packetId: number, id?: PublishId): void {
    const { bytes, topicStart, topicEnd } = view;
    const from = this.#view;
    const to = this.#to.of(out);
    // §3.3.1: DUP is 0 on the first try [MQTT-3.3.1-1] and always at QoS 0 [MQTT-3.3.1-2].
    let flags = PACKET.publish << 4;
    if (packetId > 0) flags |= PUBLISH_FLAG.qos1;
    if (view.retain && this.retainAvailable) flags |= PUBLISH_FLAG.retain;
    out[at] = flags;
    let i = writeVarint(out, at + 1, this.#remaining);
    // §3.3.2.1: the topic name comes first [MQTT-3.3.2-1].
    i = this.#topic.write(bytes, topicStart, topicEnd, out, to, i);
    // §3.3.2.2: the packet identifier only where QoS is 1 or 2.
    if (packetId > 0) {
      out[i] = packetId >> 8;
      out[i + 1] = packetId & 0xff;
      i += 2;
    }
    if (this.#version === 5) i = this.#writeProperties(view, out, i, id);
    const { payloadStart, payloadEnd } = view;
    if (from === undefined || to === undefined || payloadEnd - payloadStart > FEW_BYTES)
      copy(bytes, payloadStart, payloadEnd, out, i);
    else copyWords(from, payloadStart, payloadEnd, to, i);
  }

  /** Holds on to no memory that it has read from or written to. */
  forget(): void {
    this.#from.forget();
    this.#view = undefined;
    this.#to.forget();
  }

  /** 5.0 §3.3.2.3: content type (one at most) and user properties, which keep their order [MQTT-3.3.2-18]. */
  #measureProperties(view: MessageView, id: PublishId | undefined): number {
    const { bytes, contentTypeStart, contentTypeEnd } = view;
    let size = 0;
    if (contentTypeEnd > contentTypeStart) {
      this.defect = checkString(bytes, contentTypeStart, contentTypeEnd);
      if (this.defect !== TEXT.ok) return -1;
      size += 3 + contentTypeEnd - contentTypeStart;
    }
    for (let p = 0; p < view.propertyCount; p++) {
      view.property(p);
      this.defect = checkString(bytes, view.keyStart, view.keyEnd);
      if (this.defect !== TEXT.ok) return -1;
      this.defect = checkString(bytes, view.valueStart, view.valueEnd);
      if (this.defect !== TEXT.ok) return -1;
      size += 5 + view.keyEnd - view.keyStart + view.valueEnd - view.valueStart;
    }
    if (id === undefined) return size;
    return size + ID_HEAD.length + 2 + id.length + (id.late ? LATE.length : 0);
  }

  #writeProperties(view: MessageView, out: Buffer, at: number, id: PublishId | undefined): number {
    const { bytes, contentTypeStart, contentTypeEnd } = view;
    // 5.0 §2.2.2.1: the length is there even when there are no properties [MQTT-2.2.2-1].
    let i = writeVarint(out, at, this.#properties);
    if (contentTypeEnd > contentTypeStart) {
      out[i] = PROPERTY_ID.contentType;
      i = writeText(bytes, contentTypeStart, contentTypeEnd, out, i + 1);
    }
    for (let p = 0; p < view.propertyCount; p++) {
      view.property(p);
      out[i] = PROPERTY_ID.userProperty;
      i = writeText(bytes, view.keyStart, view.keyEnd, out, i + 1);
      i = writeText(bytes, view.valueStart, view.valueEnd, out, i);
    }
    if (id === undefined) return i;
    if (id.late) i = copy(LATE, 0, LATE.length, out, i);
    i = copy(ID_HEAD, 0, ID_HEAD.length, out, i);
    const end = id.write(out, i + 2);
    out[i] = (end - i - 2) >> 8;
    out[i + 1] = (end - i - 2) & 0xff;
    return end;
  }
}

/** A user property up to its value. */
function userProperty(name: string): Buffer {
  return Buffer.from([PROPERTY_ID.userProperty, 0, name.length, ...Buffer.from(name)]);
}

function writeText(from: Buffer, start: number, end: number, out: Buffer, at: number): number {
  const length = end - start;
  out[at] = length >> 8;
  out[at + 1] = length & 0xff;
  return copy(from, start, end, out, at + 2);
}
