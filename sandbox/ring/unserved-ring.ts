import type { Interned, Stamp } from '../../runtime/index.js';
import type { Delivery } from './delivery.js';
import { Recovery } from './recovery.js';
import { Refuser } from './refuser.js';
import { Ring } from './ring.js';

/** It is emptied once a turn of the event loop: so many frames of one go together. */
const BATCH = 256;

/**
 * A ring that no sandbox serves: what is put into it comes out again as refused (SLUICE_BREAKER_OPEN), in its
 * order. For frames that may not get to the sandbox before others that were put aside.
 */
export class UnservedRing {
  readonly #ring: Ring;
  readonly #refuser: Refuser;

  /** @param committed told when there is something to take with `next` */
  constructor(committed: () => void) {
    this.#ring = new Ring({ published: () => this.#refuser.published(), replaced: () => {} });
    this.#ring.batchLimit = BATCH;
    this.#refuser = new Refuser(new Recovery(this.#ring), committed);
    this.#refuser.on('the route', true);
  }

  /** Nothing is in it, or on its way out of it. */
  get isEmpty(): boolean {
    return this.#ring.inUse === 0;
  }

  hasRoom(bytes: number): boolean {
    return this.#ring.hasRoom(bytes);
  }

  /** As that of `Ring`. @throws SluiceError SLUICE_FRAME_TOO_LARGE */
  push(
    origin: number,
    sequence: number,
    source: Interned,
    topic: Interned,
    time: Stamp,
    bytes: Uint8Array,
    start: number,
    end: number,
    properties: Interned | undefined,
  ): boolean {
    return this.#ring.push(origin, sequence, source, topic, time, bytes, start, end, properties);
  }

  /** What was put in so far comes out soon. */
  publish(): void {
    this.#ring.publish();
  }

  /** What was put in so far can be taken now. */
  settle(): void {
    this.#ring.publish();
    this.#refuser.now();
  }

  next(): Delivery | undefined {
    return this.#ring.next();
  }

  ack(): void {
    this.#ring.ack();
  }
}
