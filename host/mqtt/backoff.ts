/**
 * Waiting times between tries: they double from `minMs` to `maxMs`, each taken at random from its upper
 * half, so that a thousand gateways do not come back to a broker in the same moment.
 */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#nextMs = minMs;
  }

  /** Milliseconds to wait now. @param lasting trying soon is of no use: wait the longest */
  delay(lasting: boolean): number {
    const most = lasting ? this.#maxMs : this.#nextMs;
    this.#nextMs = Math.min(this.#maxMs, most * 2);
    return Math.round(most * (0.5 + Math.random() / 2));
  }

  /** The peer has done something useful. */
  reset(): void {
    this.#nextMs = this.#minMs;
  }
}
