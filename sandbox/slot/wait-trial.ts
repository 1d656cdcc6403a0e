/** So long each way is looked at. */
const TRIAL_MS = 50;
/** How much more has to come without waits for it to be said that they hold senders up, and not that more happens to be sent. */
const MORE = 1.15;
/** The same where that was found the last time. */
const STILL_MORE = 1.05;
/** So long what was found counts, and twice as long each time that it is found again. */
const KEEPS_MS = 200;
const KEEPS_MOST_MS = 3200;
/** A stream that pauses for so long is another one. */
const BREAK_MS = 10;

/**
 * Finds out whether waits for more frames hold those up who send them: who sends the next frame only when the last is
 * delivered sends less for every wait, all others send what they send. Both are tried for a moment, one behind the other,
 * and what brings more is kept to for a while.
 */
export class WaitTrial {
  /** Frames should not wait: either that is being tried, or it brings more. */
  holdsUp = false;
  #isKept = false;
  #keptUntil = 0;
  #keeps = KEEPS_MS;
  #found = false;
  #began = 0;
  #last = Number.NEGATIVE_INFINITY;
  /** Frames that had gone by then. */
  #before = 0;
  /** Frames a millisecond with waits. */
  #withWaits = 0;

  /** Frames go. @param frames that have ever gone, these included, @param now performance.now() */
  publishing(frames: number, now: number): void {
    const isBroken = now - this.#last > BREAK_MS;
    this.#last = now;
    if (this.#isKept) {
      if (now >= this.#keptUntil) this.#try(false, frames, now);
    } else if (isBroken) this.#try(false, frames, now);
    else if (now - this.#began >= TRIAL_MS) this.#tried(frames, now);
  }

  #try(withoutWaits: boolean, frames: number, now: number): void {
    this.#isKept = false;
    this.holdsUp = withoutWaits;
    this.#began = now;
    this.#before = frames;
  }

  #tried(frames: number, now: number): void {
    const rate = (frames - this.#before) / (now - this.#began);
    if (!this.holdsUp) {
      this.#withWaits = rate;
      this.#try(true, frames, now);
      return;
    }
    const found = rate > this.#withWaits * (this.#found ? STILL_MORE : MORE);
    this.#keeps = found === this.#found ? Math.min(this.#keeps * 2, KEEPS_MOST_MS) : KEEPS_MS;
    this.#found = this.holdsUp = found;
    this.#isKept = true;
    this.#keptUntil = now + this.#keeps;
  }
}
