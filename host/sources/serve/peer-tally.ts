/** Addresses with nothing that are kept at least. */
const KEPT = 1024;

/**
 * A number for each address. One that is 0 again stays for a while: what a Map has deleted lies in its chains until the whole
 * table is made anew, so one address that comes and goes among 10,000 others would be looked for behind all its own traces.
 */
export class PeerTally {
  readonly #byPeer = new Map<string, number>();
  #zeros = 0;

  /** Addresses that are known, those with nothing included. */
  get known(): number {
    return this.#byPeer.size;
  }

  of(peer: string): number {
    return this.#byPeer.get(peer) ?? 0;
  }

  /** So many more (or less) of it. How many these are then. */
  add(peer: string, more: number): number {
    const before = this.#byPeer.get(peer);
    const now = (before ?? 0) + more;
    if (before === 0) this.#zeros -= 1;
    this.#byPeer.set(peer, now);
    if (now === 0) this.#zeros += 1;
    if (this.#zeros > KEPT && this.#zeros > this.#byPeer.size / 2) this.#forget();
    return now;
  }

  #forget(): void {
    for (const [peer, count] of this.#byPeer) if (count === 0) this.#byPeer.delete(peer);
    this.#zeros = 0;
  }
}
