import type { Socket } from 'node:net';
import { PeerTally } from './peer-tally.js';

/** How many connections are open, in all and of each address; neither may grow beyond its ceiling. */
export class PeerCount {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #byPeer = new PeerTally();
  #all = 0;

  /** @param most in all, @param mostOfOne of one address */
  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Addresses that are known, those without a connection included. */
  get known(): number {
    return this.#byPeer.known;
  }

  /** Counts one more, to be given back with `leave`; or says why it may not be, and counts nothing. */
  enter(peer: string): string | undefined {
    const ofOne = this.#byPeer.of(peer);
    if (this.#all >= this.#most) return `all ${this.#most} connections are in use`;
    if (ofOne >= this.#mostOfOne)
      return `${ofOne} connections of this address are open, and that is the most`;
    this.#byPeer.add(peer, 1);
    this.#all += 1;
    return undefined;
  }

  leave(peer: string): void {
    if (this.#byPeer.of(peer) === 0) return;
    this.#byPeer.add(peer, -1);
    this.#all -= 1;
  }
}

/** The address of the other end, one of IPv4 as such; without its port, which is another one each time. */
export function peerOf(socket: Socket): string {
  return (socket.remoteAddress ?? 'a device').replace(/^::ffff:/, '');
}
