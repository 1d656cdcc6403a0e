/** Parts of the keep-alive interval between two looks; no clock is read on the path of a message. */
const LOOKS = 4;
/** Quiet looks after which a PINGREQ goes out: at most 3/4 of the interval have passed then. */
const QUIET = 2;
/** Looks without PINGRESP after which the connection is given up: 1.5 times the interval. */
const PATIENCE = LOOKS * 1.5;

export interface KeepAliveEvents {
  /** Send PINGREQ. */
  ping(): void;
  /** No PINGRESP came. */
  dead(): void;
}

/**
 * 5.0 §3.1.2.10, 3.1.1 §3.1.2.10: something goes out in each interval [MQTT-3.1.2-20]; and, as a sink at
 * QoS 0 never hears anything else, a PINGREQ also goes out when nothing came in.
 */
export class KeepAlive {
  readonly #timer: NodeJS.Timeout;
  #sent = true;
  #received = true;
  #silent = 0;
  #deaf = 0;
  #waiting = 0;

  /** @param seconds 1 or more */
  constructor(seconds: number, events: KeepAliveEvents) {
    this.#timer = setInterval(() => this.#look(events), (seconds * 1000) / LOOKS);
  }

  sent(): void {
    this.#sent = true;
  }

  received(): void {
    this.#received = true;
  }

  pong(): void {
    this.#waiting = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(events: KeepAliveEvents): void {
    this.#silent = this.#sent ? 0 : this.#silent + 1;
    this.#deaf = this.#received ? 0 : this.#deaf + 1;
    this.#sent = false;
    this.#received = false;
    if (this.#waiting > 0) {
      this.#waiting += 1;
      if (this.#waiting > PATIENCE) events.dead();
      return;
    }
    if (this.#silent < QUIET && this.#deaf < QUIET) return;
    this.#waiting = 1;
    this.#sent = true;
    events.ping();
  }
}
