import type { Socket } from 'node:net';

/** Addresses without a connection that are kept at least. */
const KEPT = 1024;

/** How many connections are open, in all and of each address; neither may grow beyond its ceiling. */
export class PeerCount {
  readonly #most: number;
  readonly #mostOfOne: number;
  /**
   * Whose last connection is gone stays in it for a while, with 0: what a Map has deleted lies in its chains until the whole
   * table is made anew, so one address that comes and goes among 10,000 others would be looked for behind all its own traces.
   */
  readonly #byPeer = new Map<string, number>();
  #gone = 0;
  #all = 0;

  /** @param most in all, @param mostOfOne of one address */
  constructor(most: number, mostOfOne: number) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Addresses that are known, those without a connection included. */
  get known(): number {
    return this.#byPeer.size;
  }

  /** Counts one more, to be given back with `leave`; or says why it may not be, and counts nothing. */
  enter(peer: string): string | undefined {
    const known = this.#byPeer.get(peer);
    const ofOne = known ?? 0;
    if (this.#all >= this.#most) return `all ${this.#most} connections are in use`;
    if (ofOne >= this.#mostOfOne)
      return `${ofOne} connections of this address are open, and that is the most`;
    if (known === 0) this.#gone -= 1;
    this.#byPeer.set(peer, ofOne + 1);
    this.#all += 1;
    return undefined;
  }

  leave(peer: string): void {
    const ofOne = this.#byPeer.get(peer) ?? 0;
    if (ofOne === 0) return;
    this.#byPeer.set(peer, ofOne - 1);
    this.#all -= 1;
    if (ofOne > 1) return;
    this.#gone += 1;
    if (this.#gone > KEPT && this.#gone > this.#byPeer.size / 2) this.#forgetGone();
  }

  #forgetGone(): void {
    for (const [peer, open] of this.#byPeer) if (open === 0) this.#byPeer.delete(peer);
    this.#gone = 0;
  }
}

/** The address of the other end, one of IPv4 as such; without its port, which is another one each time. */
export function peerOf(socket: Socket): string {
  return (socket.remoteAddress ?? 'a device').replace(/^::ffff:/, '');
}
