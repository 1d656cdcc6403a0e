import type { Fault } from '../../../runtime/index.js';
import type { TunnelSettings } from './tunnel-config.js';

/** So many times the pause between two PINGs a client may be silent. */
const PINGS = 2.5;

/** Since when a client has said nothing whole. Times are milliseconds on the steady clock. */
export class Silence {
  #heardAt: number;
  /** Since when there is a part of a frame. */
  #partSince = Number.POSITIVE_INFINITY;

  constructor(now: number) {
    this.#heardAt = now;
  }

  /** Something whole came. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#partSince = Number.POSITIVE_INFINITY;
  }

  /** A part of a frame is there. */
  waits(now: number): void {
    if (this.#partSince === Number.POSITIVE_INFINITY) this.#partSince = now;
  }

  /** One that has not said who it is has said nothing for too long. */
  isNobody(now: number, { helloMs }: TunnelSettings): boolean {
    return now - this.#heardAt >= helloMs;
  }

  /** What is wrong with a client that has room to send. @param partial bytes of a frame that has not come whole */
  defect(
    now: number,
    { frameMs, keepAliveMs }: TunnelSettings,
    partial: number,
  ): { readonly code: Fault['code']; readonly why: string } | undefined {
    const silent = now - this.#heardAt;
    if (now - this.#partSince >= frameMs) {
      const why = `sent ${partial} bytes of a frame and not the rest within ${frameMs} ms`;
      return { code: 'SLUICE_SOURCE_TIMEOUT', why };
    }
    if (silent < PINGS * keepAliveMs) return undefined;
    const why = `was silent for ${Math.round(silent)} ms, and a PING is due every ${keepAliveMs}`;
    return { code: 'SLUICE_SOURCE_IDLE', why };
  }
}
