import type { Block } from '../../protocols/coap/block.js';
import type { Message } from '../../protocols/coap/message.js';
import type { Peer } from './datagrams.js';
import { PeerHash } from './peer-hash.js';

/** RFC 7252, 4.8.2: EXCHANGE_LIFETIME. */
export const EXCHANGE_LIFETIME_MS = 247_000;

const NOTHING = Buffer.alloc(0);

/**
 * A request, from its first datagram until nobody can send it again; who sent it is its address and port. It becomes
 * another request later: what is kept for longer than its answer is copied.
 */
export class Exchange implements Peer {
  address = '';
  port = 0;
  id = 0;
  isConfirmable = false;
  token: Buffer = NOTHING;
  noResponse = 0;
  /** Of the block that ended the body. */
  block1: Block | undefined;
  /** When it came, steady clock. */
  at = 0;
  /** The frame; 0: none yet, or none at all. */
  sequence = 0;
  /** Its frame is not delivered. */
  isWaiting = false;
  /** A route did not take it: its sender is told to come again. */
  isSentBack = false;
  /** An empty acknowledgement went out: the answer comes by itself. */
  isAcknowledged = false;
  /** What a repeat of the request is answered with. */
  answer: Buffer | undefined;
  /** Of an answer that nobody asks for any more, to write another one into. */
  spare: Buffer | undefined;
  /** Where it is found, and what is found there next. */
  bucket = 0;
  next: Exchange | undefined;

  begin({ address, port }: Peer, { id, type, token, noResponse, block1 }: Message, now: number): void {
    // Mostly the same few devices: then no string lives longer than its datagram.
    if (this.address !== address) this.address = address;
    this.port = port;
    this.id = id;
    this.isConfirmable = type === 'con';
    if (this.token.length !== token.length) this.token = Buffer.allocUnsafeSlow(token.length);
    for (let n = 0; n < token.length; n++) this.token[n] = token[n]!;
    this.noResponse = noResponse;
    this.block1 = block1;
    this.at = now;
    this.sequence = 0;
    this.isSentBack = false;
    this.isAcknowledged = false;
    this.spare = this.answer ?? this.spare;
    this.answer = undefined;
  }
}

/**
 * Requests that may come again, by who sent them and their message id. Source: RFC 7252, 4.5. Bounded: each takes the
 * place of the one that came that many before it, and as a rule its memory too.
 */
export class Exchanges {
  readonly #places: (Exchange | undefined)[];
  readonly #buckets: (Exchange | undefined)[];
  readonly #hash = new PeerHash();
  readonly #passing = new Exchange();
  #next = 0;

  /** @param most a power of two */
  constructor(most: number) {
    this.#places = new Array<Exchange | undefined>(most).fill(undefined);
    this.#buckets = new Array<Exchange | undefined>(most).fill(undefined);
  }

  /** What came before from there under this id; undefined: it is new. */
  find({ address, port }: Peer, id: number, now: number): Exchange | undefined {
    let found = this.#buckets[this.#bucketOf(address, port, id)];
    while (found !== undefined && !(found.id === id && found.port === port && found.address === address))
      found = found.next;
    return found !== undefined && now - found.at < EXCHANGE_LIFETIME_MS ? found : undefined;
  }

  begin(peer: Peer, message: Message, now: number): Exchange {
    const place = this.#next;
    this.#next = (place + 1) % this.#places.length;
    let exchange = this.#places[place];
    if (exchange !== undefined) this.#unlink(exchange);
    // One that waits for its answer still is forgotten, and not made another.
    if (exchange === undefined || exchange.isWaiting) exchange = new Exchange();
    this.#places[place] = exchange;
    exchange.begin(peer, message, now);
    const bucket = this.#bucketOf(peer.address, peer.port, message.id);
    exchange.bucket = bucket;
    exchange.next = this.#buckets[bucket];
    this.#buckets[bucket] = exchange;
    return exchange;
  }

  /** One that is answered at once, and is not remembered: it must not take the place of one that is. */
  pass(peer: Peer, message: Message, now: number): Exchange {
    this.#passing.begin(peer, message, now);
    return this.#passing;
  }

  #unlink(exchange: Exchange): void {
    let before = this.#buckets[exchange.bucket];
    if (before === exchange) {
      this.#buckets[exchange.bucket] = exchange.next;
      return;
    }
    while (before !== undefined && before.next !== exchange) before = before.next;
    if (before !== undefined) before.next = exchange.next;
  }

  #bucketOf(address: string, port: number, id: number): number {
    return this.#hash.of(address, port, id) & (this.#buckets.length - 1);
  }
}
