import { PeerTally } from './peer-tally.js';

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
  readonly #byPeer = new PeerTally();
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
    const ofOne = this.#byPeer.add(peer, bytes);
    this.#held += bytes;
    return bytes < 0 || (this.#held <= this.#most && ofOne <= this.#mostOfOne);
  }
}
