import type { Block } from '../../protocols/coap/block.js';
import type { Message } from '../../protocols/coap/message.js';
import type { Peer } from './datagrams.js';

/** A request, from its first datagram until nobody can send it again. */
export interface Exchange {
  readonly key: string;
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

/** RFC 7252, 4.8.2: EXCHANGE_LIFETIME. */
export const EXCHANGE_LIFETIME_MS = 247_000;

/**
 * Requests that may come again, by who sent them and their message id. Source: RFC 7252, 4.5. Bounded: each takes the
 * place of the one that came that many before it.
 */
export class Exchanges {
  readonly #places: (Exchange | undefined)[];
  readonly #byKey = new Map<string, Exchange>();
  #next = 0;

  constructor(most: number) {
    this.#places = new Array<Exchange | undefined>(most).fill(undefined);
  }

  /** What came under this key before; undefined: it is new. */
  find(key: string, now: number): Exchange | undefined {
    const found = this.#byKey.get(key);
    return found !== undefined && now - found.at < EXCHANGE_LIFETIME_MS ? found : undefined;
  }

  begin(key: string, peer: Peer, message: Message, now: number): Exchange {
    const exchange: Exchange = {
      key,
      peer,
      id: message.id,
      isConfirmable: message.type === 'con',
      token: copyOf(message.token),
      noResponse: message.noResponse,
      block1: message.block1,
      at: now,
      sequence: 0,
      isSentBack: false,
      isAcknowledged: false,
      answer: undefined,
    };
    const place = this.#next;
    const oldest = this.#places[place];
    if (oldest !== undefined && this.#byKey.get(oldest.key) === oldest) this.#byKey.delete(oldest.key);
    this.#places[place] = exchange;
    this.#next = (place + 1) % this.#places.length;
    this.#byKey.set(key, exchange);
    return exchange;
  }
}

/** Who sends, and the message id: what a repeat has in common with its first. */
export function exchangeKey({ address, port }: Peer, id: number): string {
  return `${address} ${port} ${id}`;
}

/** The datagram need not be kept for a few bytes. */
function copyOf(token: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(token.length);
  for (let n = 0; n < token.length; n++) copy[n] = token[n]!;
  return copy;
}
