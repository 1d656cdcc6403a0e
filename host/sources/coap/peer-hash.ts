import { randomFillSync } from 'node:crypto';

/**
 * A number for an address, a port and a message id, all of which a sender chooses as it likes: with a table that nobody
 * outside knows, so that nobody can choose them to fall on one place (and each look there to walk over thousands).
 */
export class PeerHash {
  readonly #table = randomFillSync(new Int32Array(256));

  /** 32 bits. */
  of(address: string, port: number, id: number): number {
    const table = this.#table;
    let hash = table[port & 255]!;
    hash = table[(hash ^ (port >> 8)) & 255]! ^ (hash >>> 8);
    hash = table[(hash ^ id) & 255]! ^ (hash >>> 8);
    hash = table[(hash ^ (id >> 8)) & 255]! ^ (hash >>> 8);
    for (let n = 0; n < address.length; n++)
      hash = table[(hash ^ address.charCodeAt(n)) & 255]! ^ (hash >>> 8);
    return hash;
  }
}
