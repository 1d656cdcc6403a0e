import { LoopLoad } from './loop-load.js';

/** Frames in a millisecond from which on it pays to wait for more: a wake-up costs as much as many of them. */
const MANY = 16;
/** The same where the host has no time for wake-ups: frames wait for it anyway, and there each wake-up is a good part of it. */
const MANY_OF_BUSY = 2;
/**
 * So many that a wake-up is nothing beside them: they wait for what is there to be read already, and for no more. Where each
 * turn of the loop brings some, they do that for no longer than others.
 */
const PLENTY = 512;
/** Milliseconds that frames wait at most, as far as a timer keeps them. */
const WAIT_MS = 1;
/** After so many waits in a row in which too few came (polls come in bursts) there is no other for this long, and longer each time. */
const MISSES = 8;
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 3200;

/**
 * Decides when the frames that wait for an idle sandbox are published: at once as a rule; within about a
 * millisecond where so many come (16,000 a second and more) that small batches are mostly wake-ups, unless there is a
 * large one already; where the host's loop has no time to spare, from 2,000 a second on and for as long as it pays: a frame
 * waits there for all that the loop does for those before it, and wake-ups (of the sandbox, of the broker) are a third of
 * that. A source that sends the next frame only when the last is delivered gains nothing by that: it is left alone.
 */
export class Gather {
  readonly #publish: () => void;
  readonly #waiting: () => number;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  #looksUntil = 0;
  #since = 0;
  #frames = 0;
  /** Frames that were there when a wait began. */
  #before = 0;
  /** Frames that were there when the sockets were to be looked at once more. */
  #seen = 0;
  #misses = 0;
  #pause = PAUSE_MS;
  #notBefore = 0;
  readonly #load: Pick<LoopLoad, 'isBusy'>;
  #many = MANY;
  /** The last wait was worth it. */
  #paid = false;

  constructor(waiting: () => number, publish: () => void, load: Pick<LoopLoad, 'isBusy'> = new LoopLoad()) {
    this.#waiting = waiting;
    this.#publish = publish;
    this.#load = load;
  }

  /** The sandbox is idle, and `waiting` frames are there for it. */
  offer(waiting: number): void {
    if (this.#look !== undefined) {
      if (waiting >= this.#seen) return;
      // What the look was for has gone and is done already: nobody but this call knows of what came behind it.
      clearImmediate(this.#look);
      this.#look = undefined;
    }
    if (waiting >= PLENTY) {
      this.#looksUntil = performance.now() + WAIT_MS;
      this.#lookOn(waiting);
      return;
    }
    if (this.#timer !== undefined) return;
    const now = performance.now();
    if (now - this.#since > WAIT_MS) {
      this.#since = now;
      this.#frames = 0;
    }
    const isBusy = this.#load.isBusy(now);
    this.#many = isBusy ? MANY_OF_BUSY : MANY;
    const goesOn = isBusy && this.#paid;
    if ((goesOn || this.#frames + waiting >= this.#many) && now >= this.#notBefore) {
      this.#before = waiting;
      this.#timer = setTimeout(this.#due, WAIT_MS);
      return;
    }
    this.#frames += waiting;
    this.#publish();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    clearImmediate(this.#look);
    this.#look = undefined;
  }

  /** The sockets have been looked at once more. */
  readonly #looked = (): void => {
    this.#look = undefined;
    const waiting = this.#waiting();
    // A full batch has gone by itself, and the rest goes behind it.
    if (waiting < this.#seen) return;
    const now = performance.now();
    if (waiting > this.#seen && now < this.#looksUntil) {
      this.#lookOn(waiting);
      return;
    }
    this.stop();
    this.#go(now);
  };

  #lookOn(waiting: number): void {
    this.#seen = waiting;
    this.#look = setImmediate(this.#looked);
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    this.#paid = this.#waiting() - this.#before >= this.#many / 2;
    if (this.#paid) {
      this.#pause = PAUSE_MS;
      this.#misses = 0;
    } else if (++this.#misses >= MISSES) {
      this.#misses = 0;
      this.#notBefore = now + this.#pause;
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    }
    this.#go(now);
  };

  #go(now: number): void {
    this.#since = now;
    this.#frames = MANY;
    this.#publish();
  }
}
