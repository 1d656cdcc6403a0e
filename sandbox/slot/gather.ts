import { LoopLoad } from './loop-load.js';
import { WaitTrial } from './wait-trial.js';

/** Frames in a millisecond from which on it pays to wait for more: a wake-up costs as much as many of them. */
const MANY = 16;
/** The same where the host has no time for wake-ups: frames wait for it anyway, and there each wake-up is a good part of it. */
const MANY_OF_BUSY = 2;
/** So many that a wake-up is nothing beside them. */
const PLENTY = 512;
/** Turns of the loop in a row that have to bring no more, for a large batch to go, and for any other: a connection is taken in one and read in the next. */
const LOOKS_OF_PLENTY = 1;
const LOOKS = 2;
/** Milliseconds that frames wait at most, as far as a timer keeps them. */
const WAIT_MS = 1;
/** After so many waits in a row in which too few came (polls come in bursts) there is no other for this long, and longer each time. */
const MISSES = 8;
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3200;

/**
 * Decides when the frames that wait for an idle sandbox are published: at once as a rule; within about a millisecond where
 * so many come (16,000 a second and more) that small batches are mostly wake-ups, and where the host's loop has no time to
 * spare, from 2,000 a second on and for as long as it pays: a frame waits there for all that the loop does for those before
 * it, and wake-ups (of the sandbox, of the broker) are a third of that. They wait for no longer than the turns of the loop
 * go on bringing more where the millisecond is for nothing or does harm: where there is a large batch already, where few
 * have come in it lately, and where those who send wait for the delivery of what they sent.
 */
export class Gather {
  readonly #publish: () => void;
  readonly #waiting: () => number;
  readonly #published: () => number;
  readonly #load: Pick<LoopLoad, 'isBusy'>;
  readonly #trial: Pick<WaitTrial, 'holdsUp' | 'publishing'>;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  #looksUntil = 0;
  /** Turns without more that this one takes, and how many are left of them. */
  #looks = 0;
  #looksLeft = 0;
  /** Frames that were there when the sockets were to be looked at once more. */
  #seen = 0;
  /** Frames of the millisecond that began then. */
  #frames = 0;
  #since = 0;
  /** Frames that were there when a wait for the timer began. */
  #before = 0;
  #many = MANY;
  /** The last wait was worth it. */
  #paid = false;
  #misses = 0;
  #pause = PAUSE_MS;
  #notBefore = 0;

  /** @param waiting frames that are there, @param published frames that have ever gone */
  constructor(
    waiting: () => number,
    published: () => number,
    publish: () => void,
    load: Pick<LoopLoad, 'isBusy'> = new LoopLoad(),
    trial: Pick<WaitTrial, 'holdsUp' | 'publishing'> = new WaitTrial(),
  ) {
    this.#waiting = waiting;
    this.#published = published;
    this.#publish = publish;
    this.#load = load;
    this.#trial = trial;
  }

  /** The sandbox is idle, and `waiting` frames are there for it. */
  offer(waiting: number): void {
    if (this.#look !== undefined) {
      if (waiting >= this.#seen) return;
      // What the look was for has gone and is done already: nobody but this call knows of what came behind it.
      clearImmediate(this.#look);
      this.#look = undefined;
    }
    const now = performance.now();
    if (waiting >= PLENTY) {
      this.#lookFrom(now, waiting, LOOKS_OF_PLENTY);
      return;
    }
    if (this.#timer !== undefined) return;
    if (now - this.#since > WAIT_MS) {
      this.#since = now;
      this.#frames = 0;
    }
    const isBusy = this.#load.isBusy(now);
    this.#many = isBusy ? MANY_OF_BUSY : MANY;
    const goesOn = isBusy && this.#paid;
    if (!goesOn && this.#frames + waiting < this.#many) {
      this.#frames += waiting;
      this.#publish();
    } else if (now < this.#notBefore || this.#trial.holdsUp) {
      this.#lookFrom(now, waiting, LOOKS);
    } else {
      this.#before = waiting;
      this.#timer = setTimeout(this.#due, WAIT_MS);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#look);
    this.#look = undefined;
  }

  #lookFrom(now: number, waiting: number, looks: number): void {
    this.#looksUntil = now + WAIT_MS;
    this.#looks = looks;
    this.#lookOn(waiting, looks);
  }

  #lookOn(waiting: number, looksLeft: number): void {
    this.#seen = waiting;
    this.#looksLeft = looksLeft;
    this.#look = setImmediate(this.#looked);
  }

  /** The sockets have been looked at once more. */
  readonly #looked = (): void => {
    this.#look = undefined;
    const waiting = this.#waiting();
    // A full batch has gone by itself, and the rest goes behind it.
    if (waiting < this.#seen) return;
    const now = performance.now();
    const looksLeft = waiting > this.#seen ? this.#looks : this.#looksLeft - 1;
    if (looksLeft > 0 && now < this.#looksUntil) {
      this.#lookOn(waiting, looksLeft);
      return;
    }
    this.stop();
    this.#go(waiting, now);
  };

  readonly #due = (): void => {
    this.#timer = undefined;
    const waiting = this.#waiting();
    const now = performance.now();
    this.#paid = waiting - this.#before >= this.#many / 2;
    if (this.#paid) {
      this.#pause = PAUSE_MS;
      this.#misses = 0;
    } else if (++this.#misses >= MISSES) {
      this.#misses = 0;
      this.#notBefore = now + this.#pause;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    }
    this.#go(waiting, now);
  };

  #go(waiting: number, now: number): void {
    // Before that it does not wait for the timer either way.
    if (now >= this.#notBefore) this.#trial.publishing(this.#published() + waiting, now);
    this.#since = now;
    this.#frames = MANY;
    this.#publish();
  }
}
