import type { MessageView } from '../../../sandbox/index.js';
import { FrameId, type MessageId, type Origin } from '../message-id.js';

/** What a packet does not carry of its message, by slot of the window: where it came from, and when. */
export class SlotIds {
  readonly #origins: (Origin | undefined)[];
  readonly #prefixes: (Buffer | undefined)[];
  readonly #sequences: Float64Array;
  readonly #places: Float64Array;
  readonly #parts: Uint32Array;
  readonly #timesLow: Uint32Array;
  readonly #timesHigh: Uint32Array;

  constructor(slots: number) {
    this.#origins = new Array<Origin | undefined>(slots).fill(undefined);
    this.#prefixes = new Array<Buffer | undefined>(slots).fill(undefined);
    this.#sequences = new Float64Array(slots);
    this.#places = new Float64Array(slots);
    this.#parts = new Uint32Array(slots);
    this.#timesLow = new Uint32Array(slots);
    this.#timesHigh = new Uint32Array(slots);
  }

  set(slot: number, view: MessageView, id: MessageId): void {
    // What comes out of the spool is on the disk already: nobody asks.
    if (!(id instanceof FrameId)) return;
    // Mostly they are what they were, and to store an object costs more than to look.
    if (this.#origins[slot] !== id.origin) this.#origins[slot] = id.origin;
    if (this.#prefixes[slot] !== id.prefix) this.#prefixes[slot] = id.prefix;
    this.#sequences[slot] = id.sequence;
    this.#places[slot] = id.place;
    this.#parts[slot] = id.part;
    this.#timesLow[slot] = view.timestampLow;
    this.#timesHigh[slot] = view.timestampHigh;
  }

  /** The id of a message that did not come out of the spool. */
  idOf(slot: number): FrameId {
    const id = new FrameId(this.#origins[slot] as Origin);
    id.prefix = this.#prefixes[slot] as Buffer;
    id.sequence = this.#sequences[slot] as number;
    id.place = this.#places[slot] as number;
    id.part = this.#parts[slot] as number;
    return id;
  }

  timeLow(slot: number): number {
    return this.#timesLow[slot] as number;
  }

  timeHigh(slot: number): number {
    return this.#timesHigh[slot] as number;
  }
}
