/** Addresses that hold nothing any more and are kept at least. */
const KEPT = 1_024;

export interface MemoryCeilings {
  /** Bytes of all. */
  readonly memory: number;
  readonly connections: number;
  readonly connectionsPerPeer: number;
}

/** Bytes that a source holds for others, up to a ceiling for all of them and one for each address. */
export class Memory {
  readonly #most: number;
  readonly #mostOfOne: number;
  /** As in `PeerCount`, who holds nothing any more stays in it for a while. */
  readonly #byPeer = new Map<string, number>();
  #gone = 0;
  #held = 0;

  /** An address may have the same share of it as of the connections. @param largest what fits all the same, bytes */
  constructor({ memory, connections, connectionsPerPeer }: MemoryCeilings, largest: number) {
    this.#most = memory;
    this.#mostOfOne = Math.max(largest, memory * Math.min(1, connectionsPerPeer / connections));
  }

  /**
   * Bytes more (or less, which is always well) are held for this address; false: that is more than may be for it or for
   * all, and they have to be given back.
   */
  holds(bytes: number, peer: string): boolean {
    if (bytes === 0) return true;
    const known = this.#byPeer.get(peer);
    const ofOne = (known ?? 0) + bytes;
    if (known === 0) this.#gone -= 1;
    this.#byPeer.set(peer, ofOne);
    this.#held += bytes;
    if (ofOne === 0) this.#left();
    return bytes < 0 || (this.#held <= this.#most && ofOne <= this.#mostOfOne);
  }

  #left(): void {
    this.#gone += 1;
    if (this.#gone <= KEPT || this.#gone <= this.#byPeer.size / 2) return;
    for (const [peer, held] of this.#byPeer) if (held === 0) this.#byPeer.delete(peer);
    this.#gone = 0;
  }
}
