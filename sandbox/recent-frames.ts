import { type FrameCopy, isFault } from '../runtime/index.js';
import type { Delivery } from './delivery.js';

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

  /** Frames that what served has dealt with. */
  get good(): readonly FrameCopy[] {
    return this.#good;
  }

  /** Frames that it failed on; none if the last of them is older than `withinMs`. */
  bad(now: number, withinMs: number): readonly FrameCopy[] {
    return now - this.#lastBad < withinMs ? this.#bad : [];
  }

  /** What comes next is to be kept, however soon it comes: the frames that a candidate has failed on are the best trial. */
  lookNow(): void {
    this.#next = 0;
  }

  /** @param now milliseconds that never jump */
  look(delivery: Delivery, now: number): void {
    if ((now < this.#next && delivery.faults === 0) || delivery.isFlush) return;
    let left = now < this.#next ? 0 : PER_LOOK;
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
