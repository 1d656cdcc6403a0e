import { RateLimit } from './rate-limit.js';

/** Addresses that are remembered; beyond it the one that was first seen longest ago begins anew. */
const MOST = 4_096;

/** A second, of one address and of all together. Infinity: no limit. */
export interface Rates {
  readonly rate: number;
  readonly totalRate: number;
}

/** A rate for each address and one for all, for protocols whose connections are short or none. */
export class PeerRates {
  readonly #rates: Rates;
  readonly #what: string;
  readonly #all: RateLimit;
  readonly #byPeer = new Map<string, RateLimit>();

  /** @param what for messages: `requests` */
  constructor(rates: Rates, what: string) {
    this.#rates = rates;
    this.#what = what;
    this.#all = new RateLimit(rates.totalRate);
  }

  /** Counts one more; or says why it may not go through, and counts nothing. @param now on the steady clock */
  take(peer: string, now: number): string | undefined {
    const { rate, totalRate } = this.#rates;
    const own = rate === Number.POSITIVE_INFINITY ? undefined : this.#of(peer);
    if (own?.allows(now) === false) return `more than ${rate} ${this.#what} a second (\`rate\`)`;
    if (!this.#all.take(now))
      return `more than ${totalRate} ${this.#what} a second of all addresses together (\`totalRate\`)`;
    own?.take(now);
    return undefined;
  }

  #of(peer: string): RateLimit {
    let limit = this.#byPeer.get(peer);
    if (limit !== undefined) return limit;
    if (this.#byPeer.size >= MOST) this.#byPeer.delete(this.#byPeer.keys().next().value!);
    limit = new RateLimit(this.#rates.rate);
    this.#byPeer.set(peer, limit);
    return limit;
  }
}
