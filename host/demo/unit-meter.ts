import type { UnitTrack } from './unit-track.js';

interface Sample {
  readonly at: number;
  readonly messages: number;
  readonly sent: number;
}

/** The rate is that of this time, milliseconds. */
const WINDOW_MS = 2000;
/** A reply without a message after this long will get none. */
const PATIENCE_MS = 1000;

/** Rate and missing messages of one row, from two counters that are read now and then. */
export class UnitMeter {
  readonly #track: UnitTrack;
  readonly #sent: () => number;
  readonly #samples: Sample[] = [];
  perSecond = 0;
  /** Replies of the device for which no message has come. */
  faults = 0;

  /** @param sent replies for it so far */
  constructor(track: UnitTrack, sent: () => number) {
    this.#track = track;
    this.#sent = sent;
  }

  get track(): UnitTrack {
    return this.#track;
  }

  /** @param now milliseconds that never jump */
  read(now: number): void {
    const { messages, distinct } = this.#track;
    this.#samples.push({ at: now, messages, sent: this.#sent() });
    while ((this.#samples[1]?.at ?? now) <= now - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0] as Sample;
    if (now > first.at) this.perSecond = ((messages - first.messages) * 1000) / (now - first.at);
    const old = this.#samples.findLast(({ at }) => at <= now - PATIENCE_MS);
    if (old !== undefined) this.faults = Math.max(0, old.sent - distinct);
  }
}
