import type { Client } from 'aedes';
import { isMarked, markTopic } from '../protocols/mqtt-wire/peer-mark.js';
import { ownBytes } from './own-bytes.js';

/** Bytes: its length is written in two. Source: MQTT 3.1.1, 1.5.3. */
const LONGEST_TOPIC = 65_535;
/** What is looked at of a packet. */
interface Published {
  topic: string;
  payload: string | Buffer;
  readonly qos?: number;
  readonly retain?: boolean;
}

/**
 * Who published what, for the sources of the gateway. A packet is made anew for each of its readers, but its payload stays
 * the same object all the way, stored or retained too; the address is kept by that, and as long as that.
 */
export class Publishers {
  readonly #peerBehind: (client: Client) => string;
  readonly #isSource: (clientId: string) => boolean;
  readonly #byPayload = new WeakMap<Buffer, string>();
  /** Client ids of who published what is to be retained. */
  readonly #retainers = new WeakMap<Buffer, string>();

  /** @param isSource a source of the gateway, which reads marks, comes under this client id */
  constructor(peerBehind: (client: Client) => string, isSource: (clientId: string) => boolean) {
    this.#peerBehind = peerBehind;
    this.#isSource = isSource;
  }

  /** What a client publishes, or its will. The error: it may not. For `authorizePublish` of aedes. */
  note(client: Client | null, packet: Published): Error | undefined {
    const { topic, payload } = packet;
    // aedes takes these for words of other brokers: one who says them could have others cut off.
    if (topic.startsWith('$SYS/')) return new Error('published under $SYS/, which is the broker\u2019s own');
    // aedes looks at what is published, not at wills.
    if (/[#+]/.test(topic)) return new Error('published under a topic with + or #');
    if (typeof payload === 'string') return undefined;
    const isKept = packet.retain === true || (packet.qos ?? 0) > 0;
    if (isKept) packet.payload = ownBytes(payload);
    if (client === null) return undefined;
    this.#byPayload.set(packet.payload as Buffer, this.#peerBehind(client));
    if (packet.retain === true) this.#retainers.set(packet.payload as Buffer, client.id);
    return undefined;
  }

  /** The client id of who had this retained; undefined: the broker itself. */
  retainerOf(payload: string | Buffer | undefined): string | undefined {
    return typeof payload === 'object' ? this.#retainers.get(payload) : undefined;
  }

  /** Marks what goes to a source of the gateway. For `authorizeForward` of aedes, which gives each reader a packet of its own. */
  mark<T extends Published>(client: Client, packet: T): T {
    if (!this.#isSource(client.id) || typeof packet.payload === 'string') return packet;
    const peer = this.#byPayload.get(packet.payload);
    // One that is sent again is marked already.
    if (peer === undefined || isMarked(packet.topic)) return packet;
    const marked = markTopic(peer, packet.topic);
    // It has no room beside the longest topics; such a frame does not say who published it.
    if (Buffer.byteLength(marked) <= LONGEST_TOPIC) packet.topic = marked;
    return packet;
  }
}
