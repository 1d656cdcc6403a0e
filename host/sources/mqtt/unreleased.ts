import type { Acknowledged } from './in-hand.js';

/** One more than the largest packet identifier. */
const IDS = 65_536;

/**
 * Identifiers of messages at QoS 2 between our PUBREC and the broker's PUBREL (5.0 and 3.1.1 §4.3.3, method B): a
 * message that comes under one of them is the same one. As long as the session lives, over any number of
 * connections. A broker that came back from an old copy of its state may give such an identifier to another message;
 * it is told apart by its print, as losing it would be worse.
 */
export class Unreleased implements Acknowledged {
  /** 1 byte and 4 for each identifier, from the first message at QoS 2 on. */
  #known = new Uint8Array(0);
  #prints = new Int32Array(0);

  recorded(id: number, print: number): void {
    if (this.#known.length === 0) {
      this.#known = new Uint8Array(IDS);
      this.#prints = new Int32Array(IDS);
    }
    this.#known[id] = 1;
    this.#prints[id] = print;
  }

  isKnown(id: number, print: number): boolean {
    return this.#known[id] === 1 && this.#prints[id] === print;
  }

  /** The broker has given the message away. False: there was none under this identifier. */
  release(id: number): boolean {
    if (this.#known[id] !== 1) return false;
    this.#known[id] = 0;
    return true;
  }

  /** A new session begins: identifiers of the old one mean nothing. */
  forget(): void {
    this.#known.fill(0);
  }
}
