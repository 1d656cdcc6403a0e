/** Parts of the time that a broker has for a confirmation between two looks; no clock is read on the path of a message. */
const LOOKS = 4;
/** So many times as long is waited for one that has not read all that it was sent: the line may be slow. */
const UNREAD = 4;
/** Each time that another connection did not help, twice as long is waited, up to so many times as long. */
const MOST_PATIENCE = 16;

/** What a broker has been sent and what came of it. */
export interface Awaited {
  /** Messages that went out on this connection, from the oldest one on that is not settled. */
  readonly onWire: number;
  /** Messages before that one, since the start. */
  readonly settled: number;
}

export interface ConfirmEvents {
  /** Calls back once the broker has read all that it was sent up to now. */
  ask(read: () => void): void;
  /** Nothing was confirmed for so long; the watch is then over. */
  silent(onWire: number, ms: number): void;
}

/**
 * Judges a connection by what comes of it, not by its socket: a broker that answers pings and confirms nothing is as
 * good as away, and so is one that has forgotten a message before all others. It may be itself again on the next one.
 * Where it is not, it waits for something itself: then each further connection would only bring everything once more.
 */
export class ConfirmWatch {
  readonly #awaited: Awaited;
  readonly #withinMs: number;
  readonly #events: ConfirmEvents;
  #timer: NodeJS.Timeout | undefined;
  #settled = 0;
  #looks = 0;
  #patience = 1;
  /** Numbers the questions: the answer to one before says nothing. */
  #question = 0;

  constructor(awaited: Awaited, withinMs: number, events: ConfirmEvents) {
    this.#awaited = awaited;
    this.#withinMs = withinMs;
    this.#events = events;
  }

  /** A connection begins. */
  begin(): void {
    this.stop();
    this.#looks = 0;
    this.#timer = setInterval(() => this.#look(), this.#withinMs / LOOKS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#question += 1;
  }

  #look(): void {
    const { onWire, settled } = this.#awaited;
    if (settled !== this.#settled) this.#patience = 1;
    if (onWire === 0 || settled !== this.#settled) {
      this.#looks = 0;
      this.#question += 1;
    } else this.#looks += 1;
    this.#settled = settled;
    const most = LOOKS * this.#patience;
    // The first of them may have come right behind what it found on its way.
    if (this.#looks === most + 1) this.#ask();
    if (this.#looks > most * UNREAD) this.#isSilent();
  }

  #ask(): void {
    const question = ++this.#question;
    const { settled } = this.#awaited;
    this.#events.ask(() => {
      if (question === this.#question && settled === this.#awaited.settled) this.#isSilent();
    });
  }

  #isSilent(): void {
    this.stop();
    const ms = (Math.min(this.#looks - 1, LOOKS * this.#patience * UNREAD) / LOOKS) * this.#withinMs;
    this.#patience = Math.min(2 * this.#patience, MOST_PATIENCE);
    this.#events.silent(this.#awaited.onWire, ms);
  }
}
