import { type MqttVersion, PACKET, packetName } from './constants.js';
import { malformed, type ProtocolCode } from './malformed.js';
import {
  type BrokerProperties,
  CONNACK_PROPERTIES,
  DISCONNECT_PROPERTIES,
  readProperties,
} from './properties.js';

export interface Connack {
  /** 0: accepted. Otherwise a return code (3.1.1) or reason code (5.0). */
  readonly code: number;
  readonly sessionPresent: boolean;
  /** A 5.0 CONNECT was answered in the format of 3.1.1: the broker does not know 5.0. */
  readonly legacy: boolean;
  readonly properties: BrokerProperties;
}

/** What a broker says to every client. */
export interface SessionEvents {
  connack(packet: Connack): void;
  pingresp(): void;
  /** 5.0 only. */
  disconnect(reason: number, text: string | undefined): void;
}

/** Takes one connection's bytes apart. */
export interface PacketReader {
  /** Bytes of a packet that is not complete yet. */
  readonly pending: number;
  /**
   * False: read no more for now; what was not taken of `chunk` is kept. The chunk may be overwritten afterwards.
   * @throws SluiceError with a ProtocolCode: the connection is to be closed
   */
  push(chunk: Buffer): boolean;
}

const NONE: BrokerProperties = {};

/** Who begins with this byte where a broker is expected: the address is most often that of something else. */
const OTHERS: ReadonlyMap<number, string> = new Map([
  ['H'.charCodeAt(0), 'An HTTP server answers like this: is the port right?'],
  ['S'.charCodeAt(0), 'An SSH server answers like this: is the port right?'],
  // A TLS alert, RFC 8446 §5.1.
  [0x15, 'A port for TLS answers like this: is it mqtts:// instead of mqtt://?'],
]);

/** The packets that have the same meaning for who publishes and who subscribes. */
export class ServerPackets {
  readonly #version: MqttVersion;
  readonly #code: ProtocolCode;
  readonly #events: SessionEvents;
  #connected = false;

  constructor(version: MqttVersion, code: ProtocolCode, events: SessionEvents) {
    this.#version = version;
    this.#code = code;
    this.#events = events;
  }

  expects(type: number): boolean {
    return (
      type === PACKET.connack ||
      type === PACKET.pingresp ||
      (type === PACKET.disconnect && this.#version === 5)
    );
  }

  /**
   * 5.0 §3.2 [MQTT-3.2.0-1], 3.1.1 §3.2: CONNACK comes first; [MQTT-3.2.0-2]: and only once.
   * @param first byte of the packet
   */
  admit(first: number): void {
    const type = first >> 4;
    if (this.#connected !== (type === PACKET.connack)) return;
    if (this.#connected) throw this.#malformed('a second CONNACK');
    const other = OTHERS.get(first);
    const what = `${packetName(type)} before CONNACK`;
    throw this.#malformed(other === undefined ? what : `${what}. ${other}`);
  }

  /** @param type one that is expected; `bytes[at, end)` is its body */
  take(type: number, bytes: Buffer, at: number, end: number): void {
    if (type === PACKET.connack) this.#connack(bytes, at, end);
    else if (type === PACKET.pingresp) this.#pingresp(at, end);
    else this.#disconnect(bytes, at, end);
  }

  /** §3.2. */
  #connack(bytes: Buffer, at: number, end: number): void {
    const size = end - at;
    const legacy = this.#version === 5 && size === 2 && bytes[at + 1] !== 0;
    if (this.#version === 4 ? size !== 2 : size < 3 && !legacy)
      throw this.#malformed('the length of CONNACK');
    // §3.2.2.1: bits 7 to 1 are reserved and 0 [MQTT-3.2.2-1].
    if ((bytes[at]! & 0xfe) !== 0) throw this.#malformed('the acknowledge flags of CONNACK');
    const code = bytes[at + 1]!;
    const sessionPresent = bytes[at] === 1;
    // 5.0 §3.2.2.1.1 [MQTT-3.2.2-6], 3.1.1 §3.2.2.2 [MQTT-3.2.2-4]: a refusal has no session.
    if (code !== 0 && sessionPresent)
      throw this.#malformed('CONNACK refuses and still says that a session is present');
    const properties =
      this.#version === 4 || legacy
        ? NONE
        : readProperties(bytes, at + 2, end, CONNACK_PROPERTIES, 'CONNACK', this.#code);
    this.#connected = true;
    this.#events.connack({ code, sessionPresent, legacy, properties });
  }

  #pingresp(at: number, end: number): void {
    if (at !== end) throw this.#malformed('the length of PINGRESP'); // §3.13
    this.#events.pingresp();
  }

  /** 5.0 §3.14: without a reason code it is 0 (§3.14.2.1), below 2 bytes there are no properties. */
  #disconnect(bytes: Buffer, at: number, end: number): void {
    const reason = end > at ? bytes[at]! : 0;
    const properties =
      end - at > 1
        ? readProperties(bytes, at + 1, end, DISCONNECT_PROPERTIES, 'DISCONNECT', this.#code)
        : NONE;
    this.#events.disconnect(reason, properties.reasonString ?? properties.serverReference);
  }

  #malformed(what: string): Error {
    return malformed(this.#code, what);
  }
}

/** 5.0 §2.1.3 [MQTT-2.1.3-1], 3.1.1 §2.2.2 [MQTT-2.2.2-2]: the flags of all but PUBLISH are 0 here. */
export function checkFlags(first: number, code: ProtocolCode): void {
  if ((first & 0x0f) !== 0) throw malformed(code, `the flags of ${packetName(first >> 4)}`);
}
