import { type FrameCopy, isFault } from '../../runtime/index.js';
import type { Delivery } from '../ring/delivery.js';

/** Frames that are kept, and how many of them a look takes; a look each second costs the path of frames nothing. */
const KEPT = 64;
const KEPT_BAD = 8;
const PER_LOOK = 8;
const EVERY_MS = 1000;
/** Larger ones are not kept. */
const LARGEST = 64 << 10;

/** Some of the last frames of a slot, for candidates to be tried on. */
export class RecentFrames {
  /** That were converted, or refused by the plugin itself: the oldest first. */
  readonly #good: FrameCopy[] = [];
  readonly #bad: FrameCopy[] = [];
  #lastBad = Number.NEGATIVE_INFINITY;
  #next = 0;
  /** Slab up to which all that comes is looked at. */
  #awaited: number | undefined;

  /** Frames that what served has dealt with. */
  get good(): readonly FrameCopy[] {
    return this.#good;
  }

  /** Frames that it failed on; none if the last of them is older than `withinMs`. */
  bad(now: number, withinMs: number): readonly FrameCopy[] {
    return now - this.#lastBad < withinMs ? this.#bad : [];
  }

  /**
   * What comes up to the end of this slab is to be kept, however soon it comes: the frames that a candidate has failed on are
   * the best trial, and others may stand before them.
   */
  lookUntil(sequence: number): void {
    this.#awaited = sequence;
  }

  /** @param sequence of its slab @param now milliseconds that never jump */
  look(delivery: Delivery, sequence: number, now: number): void {
    const isAwaited = this.#awaited !== undefined;
    const isDue = isAwaited || now >= this.#next;
    if ((!isDue && delivery.faults === 0) || delivery.isFlush) return;
    if (this.#awaited !== undefined && ((sequence - this.#awaited) | 0) >= 0) this.#awaited = undefined;
    let left = isAwaited ? KEPT : isDue ? PER_LOOK : 0;
    this.#next = Math.max(this.#next, now + EVERY_MS);
    const { begin, end, outcome } = delivery;
    for (let index = begin; index < end && (left > 0 || delivery.faults > 0); index++) {
      delivery.load(index);
      if (outcome.code === undefined || !isFault(outcome.code)) {
        if (outcome.code === 'SLUICE_BREAKER_OPEN' || left-- <= 0) continue;
        keep(this.#good, delivery.frame(index), KEPT);
      } else {
        this.#lastBad = now;
        keep(this.#bad, delivery.frame(index), KEPT_BAD);
      }
    }
  }
}

function keep(frames: FrameCopy[], frame: FrameCopy, most: number): void {
  if (frame.payload.length > LARGEST) return;
  frames.push(frame);
  if (frames.length > most) frames.shift();
}
