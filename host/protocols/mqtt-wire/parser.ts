import { type MqttVersion, PACKET, packetName } from './constants.js';
import { malformed, type ProtocolCode } from './malformed.js';
import { type PacketRules, PacketStream } from './packet-stream.js';
import { ACK_PROPERTIES, readProperties } from './properties.js';
import { checkFlags, ServerPackets, type SessionEvents } from './server-packets.js';

/** The largest packet taken from a broker, bytes. Said to a 5.0 broker in CONNECT (§3.1.2.11.4). */
export const MAX_BROKER_PACKET = 65_536;

const CODE: ProtocolCode = 'SLUICE_SINK_PROTOCOL';

/** What a broker says to a publisher. */
export interface BrokerPackets extends SessionEvents {
  /** `reason` is 0 in 3.1.1; 0x80 and above: refused. */
  puback(packetId: number, reason: number, text: string | undefined): void;
}

/**
 * Takes the bytes of one connection of a publisher apart as they come, in pieces of any size. A plain
 * PUBACK costs no allocation. Everything that breaks the protocol throws, and the connection is to be closed.
 */
export class BrokerParser implements PacketRules {
  readonly code = CODE;
  readonly #version: MqttVersion;
  readonly #packets: BrokerPackets;
  readonly #server: ServerPackets;
  readonly #stream = new PacketStream(this);

  constructor(version: MqttVersion, packets: BrokerPackets) {
    this.#version = version;
    this.#packets = packets;
    this.#server = new ServerPackets(version, CODE, packets);
  }

  /** Bytes of a packet that is not complete yet. */
  get pending(): number {
    return this.#stream.pending;
  }

  /** Always true: a publisher takes whatever comes. @throws SluiceError SLUICE_SINK_PROTOCOL */
  push(chunk: Buffer): boolean {
    const stream = this.#stream;
    stream.feed(chunk);
    while (stream.next()) {
      const { bytes, start, end } = stream;
      if (stream.first >> 4 === PACKET.puback) this.#puback(bytes, start, end);
      else this.#server.take(stream.first >> 4, bytes, start, end);
    }
    return true;
  }

  /** We publish at QoS 0 and 1 and subscribe to nothing, so nothing else can be meant for us. */
  admit(first: number): void {
    const type = first >> 4;
    this.#server.admit(first);
    if (type !== PACKET.puback && !this.#server.expects(type)) {
      throw malformed(CODE, `${packetName(type)}, which a publisher does not expect`);
    }
    checkFlags(first, CODE);
  }

  limit(): number {
    return MAX_BROKER_PACKET;
  }

  oversize(first: number, size: number): never {
    throw malformed(CODE, `${packetName(first >> 4)} of ${size} bytes (at most ${MAX_BROKER_PACKET})`);
  }

  /** 5.0 §3.4, 3.1.1 §3.4. */
  #puback(bytes: Buffer, at: number, end: number): void {
    const size = end - at;
    if (size < 2 || (this.#version === 4 && size !== 2)) throw malformed(CODE, 'the length of PUBACK');
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    if (id === 0) throw malformed(CODE, 'packet identifier 0 in PUBACK'); // §2.2.1 [MQTT-2.2.1-3]
    // 5.0 §3.4.2.1: without a reason code it is 0; §3.4.2.2.1: below 4 bytes there are no properties.
    const reason = size > 2 ? bytes[at + 2]! : 0;
    const text =
      size > 3 ? readProperties(bytes, at + 3, end, ACK_PROPERTIES, 'PUBACK', CODE).reasonString : undefined;
    this.#packets.puback(id, reason, text);
  }
}
