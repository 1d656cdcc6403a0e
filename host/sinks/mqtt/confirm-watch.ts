/** Parts of the time that a broker has for a confirmation between two looks; no clock is read on the path of a message. */
const LOOKS = 4;

/** What a broker has been sent and what came of it. */
export interface Awaited {
  /** Messages that went out on this connection, from the oldest one on that is not settled. */
  readonly onWire: number;
  /** Messages before that one, since the start. */
  readonly settled: number;
}

/**
 * Judges a connection by what comes of it, not by its socket: a broker that answers pings and confirms nothing is as
 * good as away, and so is one that has forgotten a message before all others. It may be itself again on the next one.
 */
export class ConfirmWatch {
  readonly #awaited: Awaited;
  readonly #withinMs: number;
  readonly #silent: (onWire: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #settled = 0;
  #looks = 0;

  /** @param silent called when nothing was confirmed for so long; the watch is then over */
  constructor(awaited: Awaited, withinMs: number, silent: (onWire: number) => void) {
    this.#awaited = awaited;
    this.#withinMs = withinMs;
    this.#silent = silent;
  }

  /** A connection begins. */
  begin(): void {
    this.stop();
    this.#looks = 0;
    this.#timer = setInterval(() => this.#look(), this.#withinMs / LOOKS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { onWire, settled } = this.#awaited;
    if (onWire === 0 || settled !== this.#settled) this.#looks = 0;
    else this.#looks++;
    this.#settled = settled;
    // The first of them may have come right behind what it found on its way.
    if (this.#looks <= LOOKS) return;
    this.stop();
    this.#silent(onWire);
  }
}
