import { PACKET, packetName } from './constants.js';
import { readVarint, VARINT_BAD, VARINT_MORE } from './varint.js';

/** Most bytes of a CONNECT: who has not said who it is gets no more than this. */
const LARGEST_CONNECT = 65_536;
/** Most bytes of what is no message: room for the longest filter, and not for so many that they take a second to look at. */
const LARGEST_ASK = 131_072;
/** Type and length of a packet at their largest, 5.0 and 3.1.1 §2. */
const LARGEST_HEAD = 5;

export interface GaugeDefect {
  readonly reason: 'protocol' | 'too-large';
  readonly text: string;
}

/**
 * Looks at the beginnings of the packets that a client sends, in pieces of any size, before a parser gets them: what
 * it may not say, or what is too large, is found out before memory is given to it. Holds five bytes, no more.
 */
export class PacketGauge {
  /** Bytes that have come of a packet that is not complete. */
  partial = 0;
  /** Packets that have come whole so far. */
  completed = 0;
  /** PUBLISH packets that have begun so far. */
  messages = 0;
  /** Where in its chunk the last look ended. */
  seen = 0;
  readonly #largest: number;
  readonly #head = Buffer.alloc(LARGEST_HEAD);
  #headBytes = 0;
  #left = 0;
  #connected = false;

  /** @param largest bytes of a message; of any packet behind the CONNECT, where that is less than 128 KiB */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /**
   * Looks at `chunk[from, …)`, up to where the CONNECT ends, the next PUBLISH has said how long it is, or the end: `seen`.
   * @returns why the connection is to be closed; undefined: nothing is wrong with it so far
   */
  push(chunk: Uint8Array, from: number): GaugeDefect | undefined {
    const { messages } = this;
    const isFirst = this.completed === 0;
    let at = from;
    while (at < chunk.length && this.messages === messages && !(isFirst && this.completed > 0)) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, chunk.length - at);
        at += count;
        this.#left -= count;
        this.partial = this.#left > 0 ? this.partial + count : 0;
        if (this.#left === 0) this.completed += 1;
        continue;
      }
      this.#head[this.#headBytes++] = chunk[at++]!;
      this.partial = this.#headBytes;
      const defect = this.#headBytes === 1 ? this.#order() : this.#size();
      if (defect !== undefined) return defect;
    }
    this.seen = at;
    return undefined;
  }

  /** 3.1.1 §3.1 [MQTT-3.1.0-1], [MQTT-3.1.0-2]: CONNECT comes first, and once. */
  #order(): GaugeDefect | undefined {
    const type = this.#head[0]! >> 4;
    if (type === 0 || type === 15)
      return { reason: 'protocol', text: `sent a packet of ${packetName(type)}` };
    if (this.#connected !== (type === PACKET.connect)) return undefined;
    const text = this.#connected ? 'sent a second CONNECT' : `sent ${packetName(type)} before CONNECT`;
    return { reason: 'protocol', text };
  }

  #size(): GaugeDefect | undefined {
    const remaining = readVarint(this.#head, 1, this.#headBytes);
    if (remaining === VARINT_MORE) return undefined;
    const type = this.#head[0]! >> 4;
    if (remaining === VARINT_BAD)
      return { reason: 'protocol', text: `sent ${packetName(type)} with a remaining length of five bytes` };
    const most = !this.#connected
      ? LARGEST_CONNECT
      : type === PACKET.publish
        ? this.#largest
        : Math.min(this.#largest, LARGEST_ASK);
    const size = this.#headBytes + remaining;
    if (size > most)
      return {
        reason: 'too-large',
        text: `sent ${packetName(type)} of ${size} bytes, and ${most} are the most`,
      };
    if (type === PACKET.publish) this.messages += 1;
    this.#connected = true;
    this.#left = remaining;
    this.partial = remaining > 0 ? this.#headBytes : 0;
    if (remaining === 0) this.completed += 1;
    this.#headBytes = 0;
    return undefined;
  }
}
