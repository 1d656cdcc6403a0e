import type { MessageView } from '../../../sandbox/index.js';
import { type MqttVersion, PROPERTY_ID, PUBLISH_FLAG } from './constants.js';
import { ID_PROPERTY, LATE_PROPERTY } from './publish.js';
import { PublishProperties } from './publish-properties.js';
import { readVarint, varintSize } from './varint.js';

const OWN = [Buffer.from(ID_PROPERTY), Buffer.from(LATE_PROPERTY)];

/** The message in a PUBLISH that `PublishEncoder` has written, without prefix, id and mark. */
export class PublishView implements MessageView {
  readonly bytes: Buffer;
  readonly topicStart: number;
  readonly topicEnd: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly timestampLow: number;
  readonly timestampHigh: number;
  readonly qos: number;
  readonly retain: boolean;
  contentTypeStart = 0;
  contentTypeEnd = 0;
  propertyCount = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  readonly #propertiesStart: number = 0;
  readonly #propertiesEnd: number = 0;

  /** @param prefix bytes before the topic that were put there by the sink */
  constructor(
    bytes: Buffer,
    at: number,
    length: number,
    version: MqttVersion,
    prefix: number,
    time: { readonly low: number; readonly high: number },
  ) {
    const end = at + length;
    const flags = bytes[at] as number;
    const topic = at + 1 + varintSize(readVarint(bytes, at + 1, end));
    this.bytes = bytes;
    this.topicStart = topic + 2 + prefix;
    this.topicEnd = topic + 2 + bytes.readUInt16BE(topic);
    this.qos = (flags & PUBLISH_FLAG.qosMask) === 0 ? 0 : 1;
    this.retain = (flags & PUBLISH_FLAG.retain) !== 0;
    this.timestampLow = time.low;
    this.timestampHigh = time.high;
    let i = this.topicEnd + (this.qos > 0 ? 2 : 0);
    if (version === 5) {
      const size = readVarint(bytes, i, end);
      i += varintSize(size);
      this.#propertiesStart = i;
      this.#propertiesEnd = i += size;
      this.#count();
    }
    this.payloadStart = i;
    this.payloadEnd = end;
  }

  property(index: number): void {
    const walk = this.#walk();
    for (let left = index; walk.next(); ) {
      if (walk.id !== PROPERTY_ID.userProperty || left-- > 0) continue;
      this.keyStart = walk.start;
      this.keyEnd = walk.end;
      this.valueStart = walk.valueStart;
      this.valueEnd = walk.valueEnd;
      return;
    }
  }

  /** Our own stand at the end: the id, and before it the mark of a late message. */
  #count(): void {
    const walk = this.#walk();
    const own: boolean[] = [];
    while (walk.next()) {
      if (walk.id === PROPERTY_ID.contentType) {
        this.contentTypeStart = walk.start;
        this.contentTypeEnd = walk.end;
      } else if (walk.id === PROPERTY_ID.userProperty) {
        const key = this.bytes.subarray(walk.start, walk.end);
        own.push(OWN.some(name => name.equals(key)));
      }
    }
    let count = own.length;
    for (let most = OWN.length; most > 0 && own[count - 1] === true; most--) count--;
    this.propertyCount = count;
  }

  #walk(): PublishProperties {
    const walk = new PublishProperties();
    walk.over(this.bytes, this.#propertiesStart, this.#propertiesEnd);
    return walk;
  }
}
