/** What is done again and again: each item of a line once in every period. */
export interface ScheduleLine<T> {
  readonly everyMs: number;
  readonly items: readonly T[];
}

interface Track<T> extends ScheduleLine<T> {
  /** Start of the running period, on the clock of `start` and `run`. */
  period: number;
  /** The item that is due next. */
  next: number;
}

/**
 * When polls are due. Each line spreads its items evenly over its period, in their order, so the next due
 * item is always the one behind the last: no heap, and one timer serves any number of items. Due times are
 * reckoned from the start and not from when a timer fired, so they do not drift. Holds no timer and no
 * clock itself.
 */
export class Schedule<T> {
  readonly #tracks: Track<T>[];
  readonly #due: (item: T) => void;
  readonly #missed: (item: T, periods: number) => void;

  /**
   * @param due an item's time has come
   * @param missed whole periods of an item went by without a call of `run`; they are not made up for
   */
  constructor(
    lines: readonly ScheduleLine<T>[],
    due: (item: T) => void,
    missed: (item: T, periods: number) => void,
  ) {
    this.#tracks = lines
      .filter(line => line.items.length > 0)
      .map(({ everyMs, items }) => ({ everyMs, items, period: 0, next: 0 }));
    this.#due = due;
    this.#missed = missed;
  }

  start(now: number): void {
    for (const track of this.#tracks) {
      track.period = now;
      track.next = 0;
    }
  }

  /** Reports all that is due at `now`; gives when to come again (Infinity: never). */
  run(now: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const track of this.#tracks) {
      let due = dueTime(track);
      const late = Math.floor((now - due) / track.everyMs);
      if (late > 0) {
        // Behind by whole periods: every item of the line has missed as many.
        track.period += late * track.everyMs;
        due = dueTime(track);
        for (const item of track.items) this.#missed(item, late);
      }
      while (due <= now) {
        const item = track.items[track.next]!;
        track.next += 1;
        if (track.next === track.items.length) {
          track.next = 0;
          track.period += track.everyMs;
        }
        due = dueTime(track);
        this.#due(item);
      }
      if (due < soonest) soonest = due;
    }
    return soonest;
  }
}

function dueTime(track: Track<unknown>): number {
  return track.period + (track.next * track.everyMs) / track.items.length;
}
