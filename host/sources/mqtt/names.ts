import { PropertyImage } from '../../../runtime/index.js';
import { PROPERTY_ID } from '../../protocols/mqtt-wire/constants.js';
import { malformed } from '../../protocols/mqtt-wire/malformed.js';
import { markEnd } from '../../protocols/mqtt-wire/peer-mark.js';
import { PublishProperties } from '../../protocols/mqtt-wire/publish-properties.js';
import type { Publication } from '../../protocols/mqtt-wire/subscriber.js';
import { checkReceived, checkReceivedTopic, TEXT, type TextDefect } from '../../protocols/mqtt-wire/text.js';
import { ByteCache } from '../byte-cache.js';
import type { Ingress } from '../source.js';
import { traceIdAt } from '../traceparent.js';

/** Places for topics and property lists that repeat, and the longest that gets one: what a plant has, bounded. */
const TOPICS = 2_048;
const LONGEST_TOPIC = 256;
const LISTS = 256;
const LONGEST_LIST = 1_024;

const PEER = Buffer.from('peer');
const CONTENT_TYPE = Buffer.from('content-type');
const RETAIN = Buffer.from('mqtt-retain');
/** What else tells one list from another: bits. */
const RETAINED = 1;
const MARKED = 2;
const TRUE = Buffer.from('true');
const TRACE_PARENT = Buffer.from('traceparent');
const TRACE_STATE = Buffer.from('tracestate');

/**
 * The numbers by which the ingress knows the topics and property lists of messages. What was seen lately is
 * found by its bytes; what is new, or too long to be kept, takes over the number of something older.
 *
 * A frame's properties are `peer` where our own broker says who published, `mqtt-retain: true` for a message that the broker had stored, `content-type`
 * where it is given, then the user properties in their order [MQTT-3.3.2-18]. The others of 5.0 §3.3.2.3
 * speak to clients and brokers, and stay here. So does trace context, which guests never see: of that the trace id is kept.
 */
export class Names {
  /** After -1: what is wrong with the string. */
  defect: TextDefect = TEXT.ok;
  readonly #ingress: Ingress;
  readonly #marksPeers: boolean;
  /** Who published the message of `topic`: where its bytes stand. */
  #peerStart = 0;
  #peerEnd = 0;
  readonly #topics = new ByteCache(TOPICS);
  /** Number of each place; the last is of those that are not kept. -1: none yet. */
  readonly #topicNumbers = new Int32Array(TOPICS + 1).fill(-1);
  /** Where the trace id of the message of `properties` stands in its bytes, in hex; -1: it came with none. */
  traceAt = -1;
  readonly #lists = new ByteCache(LISTS);
  readonly #listNumbers = new Int32Array(LISTS + 1).fill(-1);
  /** Of each: where its trace id stands, from its start. -1: it has none. */
  readonly #listTraces = new Int32Array(LISTS + 1).fill(-1);
  readonly #walk = new PublishProperties();
  readonly #image = new PropertyImage();

  /** @param marksPeers topics may have the address of who published in front: `markTopic` */
  constructor(ingress: Ingress, marksPeers = false) {
    this.#ingress = ingress;
    this.#marksPeers = marksPeers;
  }

  /** The number of the topic, -1 if it is none. First of a message. */
  topic({ bytes, topicStart: start, topicEnd }: Publication): number {
    const mark = this.#marksPeers ? markEnd(bytes, start, topicEnd) : -1;
    const topicStart = mark < 0 ? start : mark + 1;
    this.#peerStart = mark < 0 ? 0 : start + 1;
    this.#peerEnd = mark < 0 ? 0 : mark;
    const known = this.#topics.find(bytes, topicStart, topicEnd, 0);
    if (known >= 0) return this.#topicNumbers[known] as number;
    this.defect = checkReceivedTopic(bytes, topicStart, topicEnd);
    if (this.defect !== TEXT.ok) return -1;
    const long = topicEnd - topicStart > LONGEST_TOPIC;
    const place = long ? TOPICS : this.#topics.keep(bytes, topicStart, topicEnd, 0);
    const number = this.#topicNumbers[place] as number;
    if (number >= 0) return this.#ingress.topicOf(bytes, topicStart, topicEnd, number);
    this.#topicNumbers[place] = this.#ingress.topicOf(bytes, topicStart, topicEnd);
    return this.#topicNumbers[place] as number;
  }

  /**
   * The number of the list of properties of the message whose topic was asked for, -1 if one of them is no text.
   * @throws SluiceError SLUICE_SOURCE_PROTOCOL if the property field is broken
   */
  properties(publication: Publication): number {
    const { bytes } = publication;
    // A broker that marks who published speaks 3.1.1, which has no properties.
    const isMarked = this.#peerEnd > 0;
    const start = isMarked ? this.#peerStart : publication.propertiesStart;
    const end = isMarked ? this.#peerEnd : publication.propertiesEnd;
    const tag = (publication.retain ? RETAINED : 0) | (isMarked ? MARKED : 0);
    this.traceAt = -1;
    if (start === end && tag === 0) return 0;
    const known = this.#lists.find(bytes, start, end, tag);
    if (known >= 0) {
      const trace = this.#listTraces[known] as number;
      if (trace >= 0) this.traceAt = start + trace;
      return this.#listNumbers[known] as number;
    }
    if (!this.#read(publication)) return -1;
    const place = end - start > LONGEST_LIST ? LISTS : this.#lists.keep(bytes, start, end, tag);
    this.#listTraces[place] = this.traceAt < 0 ? -1 : this.traceAt - start;
    const number = this.#listNumbers[place] as number;
    if (number >= 0) return this.#ingress.propertiesOf(this.#image, number);
    this.#listNumbers[place] = this.#ingress.propertiesOf(this.#image);
    return this.#listNumbers[place] as number;
  }

  /** Lays the list out; false if one of the strings is no text. */
  #read({ bytes, propertiesStart, propertiesEnd, retain }: Publication): boolean {
    const walk = this.#walk;
    const image = this.#image;
    image.begin();
    if (this.#peerEnd > 0) image.add(PEER, 0, PEER.length, bytes, this.#peerStart, this.#peerEnd);
    if (retain) image.add(RETAIN, 0, RETAIN.length, TRUE, 0, TRUE.length);
    let typed = false;
    this.defect = TEXT.ok;
    // The content type goes first, wherever it stands.
    walk.over(bytes, propertiesStart, propertiesEnd);
    while (walk.next()) {
      if (walk.id === PROPERTY_ID.topicAlias) throw broken('a topic alias, which was not offered'); // §3.3.2.3.4
      if (walk.id !== PROPERTY_ID.contentType) continue;
      if (typed) throw broken('two content types'); // §3.3.2.3.9
      typed = true;
      this.#check(bytes, walk.start, walk.end);
      image.add(CONTENT_TYPE, 0, CONTENT_TYPE.length, bytes, walk.start, walk.end);
    }
    if (walk.broken) throw broken('properties that are cut short or do not belong there');
    walk.over(bytes, propertiesStart, propertiesEnd);
    let parents = 0;
    while (walk.next()) {
      if (walk.id !== PROPERTY_ID.userProperty) continue;
      this.#check(bytes, walk.start, walk.end);
      this.#check(bytes, walk.valueStart, walk.valueEnd);
      if (isText(TRACE_STATE, bytes, walk.start, walk.end)) continue;
      if (isText(TRACE_PARENT, bytes, walk.start, walk.end)) {
        // Two say nothing: neither is known to be the right one.
        const isFirst = ++parents === 1;
        this.traceAt = isFirst ? traceIdAt(bytes, walk.valueStart, walk.valueEnd) : -1;
        continue;
      }
      image.add(bytes, walk.start, walk.end, bytes, walk.valueStart, walk.valueEnd);
    }
    image.end();
    return this.defect === TEXT.ok;
  }

  #check(bytes: Uint8Array, start: number, end: number): void {
    const defect = checkReceived(bytes, start, end);
    if (defect !== TEXT.ok) this.defect = defect;
  }
}

function isText(text: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

function broken(what: string): Error {
  return malformed('SLUICE_SOURCE_PROTOCOL', `PUBLISH with ${what}`);
}
