import { randomInt } from 'node:crypto';
import type { Fault } from '../../../runtime/index.js';
import type { Peer } from '../coap/datagrams.js';
import type { Ask } from './ask.js';

const REMEMBERED = 1_024;

/** What is asked of all devices, by the token that the answer carries and by the id of the message. */
export class Asks {
  readonly #byToken = new Map<string, Ask>();
  readonly #byId = new Map<string, Ask>();
  /** Tokens of what is over, and what an answer to it means. */
  readonly #over = new Map<string, Fault['code']>();

  /** A message id that cannot be foreseen, and that nothing waits under at that peer. */
  newId(peer: Peer): number {
    let id = randomInt(65_536);
    while (this.#byId.has(idKey(peer, id))) id = (id + 1) & 0xffff;
    return id;
  }

  /** It is about to be sent. */
  add(ask: Ask, peer: Peer, id: number): void {
    this.#byToken.set(tokenKey(ask.token), ask);
    this.#byId.set(idKey(peer, id), ask);
  }

  byToken(token: Buffer): Ask | undefined {
    return this.#byToken.get(tokenKey(token));
  }

  byId(peer: Peer, id: number): Ask | undefined {
    return this.#byId.get(idKey(peer, id));
  }

  /** Its message has been answered; an observation goes on under its token. */
  answered(ask: Ask, peer: Peer): void {
    const key = idKey(peer, ask.id);
    // An observation is over long after its id; another message may have it by then.
    if (this.#byId.get(key) === ask) this.#byId.delete(key);
  }

  /** @param meaning of an answer that comes all the same */
  end(ask: Ask, peer: Peer | undefined, meaning: Fault['code']): void {
    if (peer !== undefined) this.answered(ask, peer);
    const key = tokenKey(ask.token);
    if (this.#byToken.get(key) !== ask) return;
    this.#byToken.delete(key);
    this.#over.set(key, meaning);
    if (this.#over.size > REMEMBERED) this.#over.delete(this.#over.keys().next().value!);
  }

  /** What an answer means that comes under the token of something that is over; undefined: it was never asked. */
  meaningOf(token: Buffer): Fault['code'] | undefined {
    return this.#over.get(tokenKey(token));
  }
}

function tokenKey(token: Buffer): string {
  return token.toString('latin1');
}

function idKey({ address, port }: Peer, id: number): string {
  return `${address} ${port} ${id}`;
}
