import { type MqttVersion, PACKET, PUBLISH_FLAG, packetName } from './constants.js';
import { malformed, type ProtocolCode } from './malformed.js';
import { type PacketRules, PacketStream } from './packet-stream.js';
import { ACK_PROPERTIES, readProperties } from './properties.js';
import { checkFlags, type PacketReader, ServerPackets, type SessionEvents } from './server-packets.js';
import { readVarint, varintSize } from './varint.js';

const CODE: ProtocolCode = 'SLUICE_SOURCE_PROTOCOL';
/** Type, length, topic and packet identifier of a PUBLISH at their largest. */
const LARGEST_HEAD = 5 + 2 + 65_535 + 2;

/** Of all other packets: a CONNACK with every property at its longest is not expected. */
const LARGEST_OTHER = 65_536;

/** A PUBLISH in place: offsets into `bytes`, good until the call that shows it returns. 5.0 and 3.1.1 §3.3. */
export interface Publication {
  readonly bytes: Buffer;
  readonly dup: boolean;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly topicStart: number;
  readonly topicEnd: number;
  /** 1 to 65,535 at QoS 1 and 2, 0 at QoS 0. */
  readonly packetId: number;
  /** The property field without its length; empty in 3.1.1. */
  readonly propertiesStart: number;
  readonly propertiesEnd: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Bytes of the whole packet where it is larger than the limit: properties and payload are not there. */
  readonly tooLarge: number;
}

/** What a broker says to a subscriber. */
export interface SubscriberEvents extends SessionEvents {
  /** False: there is no room for it; it comes again after `resume`. */
  publish(publication: Publication): boolean;
  /** One code for each topic filter, in their order: the granted QoS, or 0x80 and above. */
  suback(packetId: number, codes: Uint8Array, text: string | undefined): void;
  /** The broker has our PUBREC for this message, and does not send it again. QoS 2 only. */
  pubrel(packetId: number): void;
}

/**
 * Takes the bytes of one connection of a subscriber apart as they come, in pieces of any size. A PUBLISH
 * costs no allocation and, if it came in one piece, no copy. Everything that breaks the protocol throws,
 * and the connection is to be closed.
 */
export class SubscriberParser implements PacketReader, PacketRules, Publication {
  readonly code = CODE;
  readonly #largest: number;
  readonly #version: MqttVersion;
  readonly #events: SubscriberEvents;
  readonly #server: ServerPackets;
  readonly #stream: PacketStream;
  #held = false;

  bytes: Buffer = Buffer.alloc(0);
  dup = false;
  qos: 0 | 1 | 2 = 0;
  retain = false;
  topicStart = 0;
  topicEnd = 0;
  packetId = 0;
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  tooLarge = 0;

  /**
   * @param limit the largest packet that is shown as a whole, bytes
   */
  constructor(version: MqttVersion, limit: number, events: SubscriberEvents) {
    this.#version = version;
    this.#largest = Math.max(limit, LARGEST_HEAD);
    this.#events = events;
    this.#server = new ServerPackets(version, CODE, events);
    this.#stream = new PacketStream(this);
  }

  /** Bytes of a packet that is not complete; 0 while whole ones wait for room. */
  get pending(): number {
    return this.#held ? 0 : this.#stream.pending;
  }

  push(chunk: Buffer): boolean {
    this.#stream.feed(chunk);
    return this.#run();
  }

  /** There may be room again for what was held; false if there is not. @throws SluiceError as `push` */
  resume(): boolean {
    return this.#run();
  }

  admit(first: number): void {
    const type = first >> 4;
    this.#server.admit(first);
    if (type === PACKET.publish) return;
    if (type === PACKET.pubrel) {
      // 5.0 §3.6.1, 3.1.1 §3.6.1 [MQTT-3.6.1-1]: these flags and no others.
      if ((first & 0x0f) !== 0x02) throw malformed(CODE, 'the flags of PUBREL');
      return;
    }
    if (type !== PACKET.suback && !this.#server.expects(type)) {
      throw malformed(CODE, `${packetName(type)}, which a subscriber does not expect`);
    }
    checkFlags(first, CODE);
  }

  /** All but messages is small; a broker that says otherwise gets no memory for it. */
  limit(first: number): number {
    return first >> 4 === PACKET.publish ? this.#largest : LARGEST_OTHER;
  }

  /** A PUBLISH that is too large still has to be acknowledged: topic and identifier are wanted. */
  oversize(first: number, size: number): number {
    if (first >> 4 === PACKET.publish) return LARGEST_HEAD;
    throw malformed(CODE, `${packetName(first >> 4)} of ${size} bytes`);
  }

  #run(): boolean {
    const stream = this.#stream;
    this.#held = false;
    while (stream.next()) {
      const type = stream.first >> 4;
      if (type === PACKET.publish) {
        this.#publish();
        if (this.#events.publish(this)) continue;
        this.#held = true;
        stream.hold();
        return false;
      }
      if (type === PACKET.pubrel) this.#pubrel(stream.bytes, stream.start, stream.end);
      else if (type === PACKET.suback) this.#suback(stream.bytes, stream.start, stream.end);
      else this.#server.take(type, stream.bytes, stream.start, stream.end);
    }
    return true;
  }

  #publish(): void {
    const { bytes, first, start, end, left } = this.#stream;
    const qos = (first & PUBLISH_FLAG.qosMask) >> 1;
    // §3.3.1.2 [MQTT-3.3.1-4]. A broker may not exceed what was subscribed to, §3.8.4 [MQTT-3.8.4-8], and is heard if it
    // does: refused, the message would come again and end each connection. aedes sends what is retained as it was
    // published, and a session may hold messages of an earlier subscription.
    if (qos > 2) throw malformed(CODE, `PUBLISH at QoS ${qos}`);
    this.dup = (first & PUBLISH_FLAG.dup) !== 0;
    if (this.dup && qos === 0) throw malformed(CODE, 'PUBLISH at QoS 0 with DUP'); // [MQTT-3.3.1-2]
    this.qos = qos as 0 | 1 | 2;
    this.retain = (first & PUBLISH_FLAG.retain) !== 0;
    this.bytes = bytes;
    this.topicStart = start + 2;
    let at = start + 2 > end ? end + 1 : start + 2 + ((bytes[start]! << 8) | bytes[start + 1]!);
    this.topicEnd = at;
    this.packetId = 0;
    if (qos > 0) {
      at += 2;
      if (at <= end) this.packetId = (bytes[at - 2]! << 8) | bytes[at - 1]!;
    }
    if (at > end) throw malformed(CODE, 'PUBLISH that is cut short');
    if (qos > 0 && this.packetId === 0) throw malformed(CODE, 'packet identifier 0 in PUBLISH'); // §2.2.1
    this.tooLarge = 0;
    this.payloadEnd = end;
    this.propertiesStart = at;
    this.propertiesEnd = at;
    if (left > 0) {
      this.tooLarge = end - start + left;
      at = end;
    } else if (this.#version === 5) at = this.#properties(bytes, at, end);
    this.payloadStart = at;
  }

  #properties(bytes: Buffer, at: number, end: number): number {
    // Mostly there are none, or few: one byte says so.
    const short = at < end ? bytes[at]! : 0x80;
    const length = short < 0x80 ? short : readVarint(bytes, at, end);
    this.propertiesStart = at + (short < 0x80 ? 1 : varintSize(Math.max(length, 0)));
    this.propertiesEnd = this.propertiesStart + length;
    if (length < 0 || this.propertiesEnd > end) {
      throw malformed(CODE, 'PUBLISH, where the property length does not match the packet');
    }
    return this.propertiesEnd;
  }

  /** 5.0 and 3.1.1 §3.6; what a reason or a property would say changes nothing here. */
  #pubrel(bytes: Buffer, at: number, end: number): void {
    const size = end - at;
    if (size < 2 || (this.#version === 4 && size !== 2)) throw malformed(CODE, 'the length of PUBREL');
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    if (id === 0) throw malformed(CODE, 'packet identifier 0 in PUBREL'); // §2.2.1
    if (size > 3) readProperties(bytes, at + 3, end, ACK_PROPERTIES, 'PUBREL', CODE);
    this.#events.pubrel(id);
  }

  /** 5.0 and 3.1.1 §3.9. */
  #suback(bytes: Buffer, at: number, end: number): void {
    if (end - at < 3) throw malformed(CODE, 'the length of SUBACK');
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    let codes = at + 2;
    let text: string | undefined;
    if (this.#version === 5) {
      const length = readVarint(bytes, codes, end);
      const from = codes;
      codes += varintSize(Math.max(length, 0)) + length;
      if (length < 0 || codes > end) throw malformed(CODE, 'the property length of SUBACK');
      text = readProperties(bytes, from, codes, ACK_PROPERTIES, 'SUBACK', CODE).reasonString;
    }
    this.#events.suback(id, Uint8Array.from(bytes.subarray(codes, end)), text);
  }
}
