import { SluiceError } from '../../../runtime/index.js';
import { type MqttVersion, PACKET, packetName } from './constants.js';
import {
  type BrokerProperties,
  CONNACK_PROPERTIES,
  DISCONNECT_PROPERTIES,
  PUBACK_PROPERTIES,
  readProperties,
} from './properties.js';
import { readVarint, VARINT_BAD, VARINT_MORE, varintSize } from './varint.js';

/** The largest packet taken from a broker, bytes. Said to a 5.0 broker in CONNECT (§3.1.2.11.4). */
export const MAX_BROKER_PACKET = 65_536;

export interface Connack {
  /** 0: accepted. Otherwise a return code (3.1.1) or reason code (5.0). */
  readonly code: number;
  readonly sessionPresent: boolean;
  /** A 5.0 CONNECT was answered in the format of 3.1.1: the broker does not know 5.0. */
  readonly legacy: boolean;
  readonly properties: BrokerProperties;
}

/** What a broker says to a publisher. */
export interface BrokerPackets {
  connack(packet: Connack): void;
  /** `reason` is 0 in 3.1.1; 0x80 and above: refused. */
  puback(packetId: number, reason: number, text: string | undefined): void;
  pingresp(): void;
  /** 5.0 only. */
  disconnect(reason: number, text: string | undefined): void;
}

const NONE: BrokerProperties = {};

/**
 * Takes the bytes of one connection apart as they come, in pieces of any size. A plain PUBACK costs no
 * allocation. Everything that breaks the protocol throws, and the connection is to be closed.
 */
export class BrokerParser {
  readonly #version: MqttVersion;
  readonly #packets: BrokerPackets;
  #carry = Buffer.alloc(0);
  #carried = 0;
  #connected = false;

  constructor(version: MqttVersion, packets: BrokerPackets) {
    this.#version = version;
    this.#packets = packets;
  }

  /** Bytes of a packet that is not complete yet. */
  get pending(): number {
    return this.#carried;
  }

  /** @throws SluiceError SLUICE_SINK_PROTOCOL */
  push(chunk: Buffer): void {
    let at = 0;
    while (this.#carried > 0 && at < chunk.length) at = this.#complete(chunk, at);
    while (at < chunk.length) {
      const size = this.#sizeAt(chunk, at, chunk.length);
      if (size === 0 || at + size > chunk.length) {
        this.#keep(chunk, at, chunk.length);
        return;
      }
      this.#packet(chunk, at, at + size);
      at += size;
    }
  }

  /** Feeds the carried packet with what it lacks; returns the offset behind what was used. */
  #complete(chunk: Buffer, from: number): number {
    let at = from;
    let size = this.#sizeAt(this.#carry, 0, this.#carried);
    while (size === 0 && at < chunk.length) {
      this.#keep(chunk, at, at + 1);
      at += 1;
      size = this.#sizeAt(this.#carry, 0, this.#carried);
    }
    if (size === 0) return at;
    const end = Math.min(chunk.length, at + size - this.#carried);
    this.#keep(chunk, at, end);
    if (this.#carried === size) {
      this.#carried = 0;
      this.#packet(this.#carry, 0, size);
    }
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const need = this.#carried + end - start;
    if (need > this.#carry.length) {
      const grown = Buffer.alloc(Math.max(64, 2 * need));
      this.#carry.copy(grown, 0, 0, this.#carried);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carried, start, end);
    this.#carried = need;
  }

  /** Size of the packet at `at`, 0 while its length is not complete. What cannot be right is refused at once. */
  #sizeAt(bytes: Buffer, at: number, end: number): number {
    const first = bytes[at]!;
    const type = first >> 4;
    // 5.0 §3.2 [MQTT-3.2.0-1], 3.1.1 §3.2: CONNACK comes first; [MQTT-3.2.0-2]: and only once.
    if (this.#connected === (type === PACKET.connack)) {
      throw malformed(this.#connected ? 'a second CONNACK' : `${packetName(type)} before CONNACK`);
    }
    if (!this.#expects(type)) throw malformed(`${packetName(type)}, which a publisher does not expect`);
    // 5.0 §2.1.3 [MQTT-2.1.3-1], 3.1.1 §2.2.2 [MQTT-2.2.2-2]: the flags of these packets are 0.
    if ((first & 0x0f) !== 0) throw malformed(`the flags of ${packetName(type)}`);
    const remaining = readVarint(bytes, at + 1, end);
    if (remaining === VARINT_BAD) throw malformed(`the remaining length of ${packetName(type)}`);
    const size = remaining === VARINT_MORE ? 0 : 1 + varintSize(remaining) + remaining;
    if (size > MAX_BROKER_PACKET) {
      throw malformed(`${packetName(type)} of ${size} bytes (at most ${MAX_BROKER_PACKET})`);
    }
    return size;
  }

  #packet(bytes: Buffer, start: number, end: number): void {
    const type = bytes[start]! >> 4;
    const at = start + 1 + varintSize(readVarint(bytes, start + 1, end));
    if (type === PACKET.puback) this.#puback(bytes, at, end);
    else if (type === PACKET.connack) this.#connack(bytes, at, end);
    else if (type === PACKET.pingresp) this.#pingresp(at, end);
    else this.#disconnect(bytes, at, end);
  }

  /** We publish at QoS 0 and 1 and subscribe to nothing, so nothing else can be meant for us. */
  #expects(type: number): boolean {
    return (
      type === PACKET.puback ||
      type === PACKET.connack ||
      type === PACKET.pingresp ||
      (type === PACKET.disconnect && this.#version === 5)
    );
  }

  /** §3.2. */
  #connack(bytes: Buffer, at: number, end: number): void {
    const size = end - at;
    const legacy = this.#version === 5 && size === 2 && bytes[at + 1] !== 0;
    if (this.#version === 4 ? size !== 2 : size < 3 && !legacy) throw malformed('the length of CONNACK');
    // §3.2.2.1: bits 7 to 1 are reserved and 0 [MQTT-3.2.2-1].
    if ((bytes[at]! & 0xfe) !== 0) throw malformed('the acknowledge flags of CONNACK');
    const code = bytes[at + 1]!;
    const sessionPresent = bytes[at] === 1;
    // 5.0 §3.2.2.1.1 [MQTT-3.2.2-6], 3.1.1 §3.2.2.2 [MQTT-3.2.2-4]: a refusal has no session.
    if (code !== 0 && sessionPresent)
      throw malformed('CONNACK refuses and still says that a session is present');
    const properties =
      this.#version === 4 || legacy
        ? NONE
        : readProperties(bytes, at + 2, end, CONNACK_PROPERTIES, 'CONNACK');
    this.#connected = true;
    this.#packets.connack({ code, sessionPresent, legacy, properties });
  }

  /** 5.0 §3.4, 3.1.1 §3.4. */
  #puback(bytes: Buffer, at: number, end: number): void {
    const size = end - at;
    if (size < 2 || (this.#version === 4 && size !== 2)) throw malformed('the length of PUBACK');
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    if (id === 0) throw malformed('packet identifier 0 in PUBACK'); // §2.2.1 [MQTT-2.2.1-3]
    // 5.0 §3.4.2.1: without a reason code it is 0; §3.4.2.2.1: below 4 bytes there are no properties.
    const reason = size > 2 ? bytes[at + 2]! : 0;
    const properties = size > 3 ? readProperties(bytes, at + 3, end, PUBACK_PROPERTIES, 'PUBACK') : NONE;
    this.#packets.puback(id, reason, properties.reasonString);
  }

  #pingresp(at: number, end: number): void {
    if (at !== end) throw malformed('the length of PINGRESP'); // §3.13
    this.#packets.pingresp();
  }

  /** 5.0 §3.14: without a reason code it is 0 (§3.14.2.1), below 2 bytes there are no properties. */
  #disconnect(bytes: Buffer, at: number, end: number): void {
    const reason = end > at ? bytes[at]! : 0;
    const properties =
      end - at > 1 ? readProperties(bytes, at + 1, end, DISCONNECT_PROPERTIES, 'DISCONNECT') : NONE;
    this.#packets.disconnect(reason, properties.reasonString ?? properties.serverReference);
  }
}

function malformed(what: string): SluiceError {
  return new SluiceError('SLUICE_SINK_PROTOCOL', `The broker sent bytes that are not MQTT: ${what}.`);
}
