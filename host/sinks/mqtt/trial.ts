/** So many hang-ups right after one message that was alone on its way: it is the message. */
export const STRIKES = 3;
/** What is right after: brokers that take offence do so at once. One that does nothing meanwhile has taken none. */
const RIGHT_AFTER_MS = 2_000;
const NONE = -1;

/** What a trial has to know of the window at the end of a connection. */
export interface OnTheWire {
  /** The oldest message at QoS 1 that went out and was not confirmed, -1 if there is none. */
  readonly firstSent: number;
  /** Messages that went out and were not confirmed. */
  readonly onWire: number;
}

/**
 * Finds the one message for which a broker hangs up. At QoS 1 it would go out again on every connection, and
 * nothing would ever get past it. (3.1.1 has no other way to refuse a message, §3.3.5; it is usual for
 * topics without rights.)
 *
 * After a hang-up the oldest unconfirmed message goes alone first: a broker that confirms in order has confirmed
 * all before the one at which it took offence. For brokers that confirm later, no more than half as many as at
 * the hang-up are on their way after that, and half as many again with each further one, until there is only one.
 * A message is found guilty when the broker has hung up right after it several times in a row while nothing
 * else was on its way, and confirmed nothing in between. A hang-up by chance costs one round trip.
 */
export class Trial {
  /** Most on their way at once behind the first; Infinity: no trial. */
  #most = Number.POSITIVE_INFINITY;
  /** Confirmations until all that was on its way at the hang-up is acquitted. */
  #toConfirm = 0;
  /** Of the broker's quota, what is kept back on this connection. */
  #keptBack = 0;
  #alone = false;
  #since = 0;
  #slot = NONE;
  #strikes = 0;
  #patience: NodeJS.Timeout | undefined;
  readonly #release: (more: number) => void;

  /** @param release more may go out, as the broker neither hung up nor confirmed anything */
  constructor(release: (more: number) => void) {
    this.#release = release;
  }

  /** A connection begins. Gives how many at QoS 1 may go out for now. @param quota of the broker */
  begin(quota: number, now: number): number {
    this.#keptBack = 0;
    this.#alone = this.#most !== Number.POSITIVE_INFINITY;
    if (!this.#alone) return quota;
    this.#since = now;
    this.#keptBack = quota - 1;
    this.#patience = setTimeout(() => this.#acquit(), RIGHT_AFTER_MS);
    return 1;
  }

  /** A message was confirmed or refused. Gives how many more may go out because of it. */
  confirmed(): number {
    if (this.#most === Number.POSITIVE_INFINITY) return 0;
    clearTimeout(this.#patience);
    this.#strikes = 0;
    this.#slot = NONE;
    this.#toConfirm -= 1;
    let more = 0;
    if (this.#toConfirm <= 0) {
      this.#most = Number.POSITIVE_INFINITY;
      more = this.#keptBack;
    } else if (this.#alone) {
      more = Math.min(this.#most - 1, this.#keptBack);
    }
    this.#alone = false;
    this.#keptBack -= more;
    return more;
  }

  /**
   * The connection is gone. Gives the slot of the message that the broker hangs up for, -1 while there is none.
   * @param window if the broker hung up; undefined if it was another's doing
   */
  lost(window: OnTheWire | undefined, now: number): number {
    clearTimeout(this.#patience);
    if (window === undefined || window.firstSent < 0) return NONE;
    const { firstSent, onWire } = window;
    if (!this.#alone) {
      this.#most = Math.max(1, Math.floor(Math.min(this.#most, onWire) / 2));
      this.#toConfirm = Math.max(this.#toConfirm, onWire);
      return NONE;
    }
    if (now - this.#since > RIGHT_AFTER_MS) return NONE;
    this.#strikes = this.#slot === firstSent ? this.#strikes + 1 : 1;
    this.#slot = firstSent;
    if (this.#strikes < STRIKES) return NONE;
    this.#strikes = 0;
    this.#slot = NONE;
    return firstSent;
  }

  #acquit(): void {
    this.#most = Number.POSITIVE_INFINITY;
    this.#alone = false;
    this.#release(this.#keptBack);
  }
}
