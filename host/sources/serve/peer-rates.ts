import { RateLimit } from './rate-limit.js';

/** Addresses that are remembered; beyond it the one that was first seen longest ago begins anew. */
const MOST = 4_096;

/** A rate for each address, for protocols whose connections are short or none. */
export class PeerRates {
  readonly #perSecond: number;
  readonly #byPeer = new Map<string, RateLimit>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** True if one more may go through. @param now on the steady clock */
  take(peer: string, now: number): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true;
    let limit = this.#byPeer.get(peer);
    if (limit === undefined) {
      if (this.#byPeer.size >= MOST) this.#byPeer.delete(this.#byPeer.keys().next().value!);
      limit = new RateLimit(this.#perSecond);
      this.#byPeer.set(peer, limit);
    }
    return limit.take(now) === 0;
  }
}
