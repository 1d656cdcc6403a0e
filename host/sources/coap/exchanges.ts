import type { Block } from '../../protocols/coap/block.js';
import type { Message } from '../../protocols/coap/message.js';

/** A request, from its first datagram until nobody can send it again. */
export interface Exchange {
  readonly peer: Peer;
  readonly id: number;
  readonly isConfirmable: boolean;
  readonly token: Buffer;
  readonly noResponse: number;
  /** Of the block that ended the body. */
  readonly block1: Block | undefined;
  /** When it came, steady clock. */
  readonly at: number;
  /** The frame; 0: none yet, or none at all. */
  sequence: number;
  /** A route did not take it: its sender is told to come again. */
  isSentBack: boolean;
  /** An empty acknowledgement went out: the answer comes by itself. */
  isAcknowledged: boolean;
  /** What a repeat of the request is answered with. */
  answer: Buffer | undefined;
}

/** Where a datagram came from. */
export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** RFC 7252, 4.8.2: EXCHANGE_LIFETIME. */
const LIFETIME_MS = 247_000;

/** Requests that may come again, by who sent them and their message id. Source: RFC 7252, 4.5. Bounded. */
export class Exchanges {
  readonly #most: number;
  readonly #byKey = new Map<string, Exchange>();

  constructor(most: number) {
    this.#most = most;
  }

  /** What came under this id before; undefined: it is new. */
  find({ address, port }: Peer, id: number, now: number): Exchange | undefined {
    const found = this.#byKey.get(`${address} ${port} ${id}`);
    return found !== undefined && now - found.at < LIFETIME_MS ? found : undefined;
  }

  begin(peer: Peer, message: Message, now: number): Exchange {
    const key = `${peer.address} ${peer.port} ${message.id}`;
    this.#byKey.delete(key);
    this.#forget(now);
    const exchange: Exchange = {
      peer,
      id: message.id,
      isConfirmable: message.type === 'con',
      // A copy: the datagram need not be kept for it.
      token: Buffer.from(message.token),
      noResponse: message.noResponse,
      block1: message.block1,
      at: now,
      sequence: 0,
      isSentBack: false,
      isAcknowledged: false,
      answer: undefined,
    };
    this.#byKey.set(key, exchange);
    return exchange;
  }

  /** The oldest make room. */
  #forget(now: number): void {
    for (const [key, { at }] of this.#byKey) {
      if (this.#byKey.size < this.#most && now - at < LIFETIME_MS) return;
      this.#byKey.delete(key);
    }
  }
}
