import type { Interned, Stamp } from '../../runtime/index.js';
import type { Slot } from '../../sandbox/index.js';
import type { ParkedFrames } from './parked-frames.js';
import type { RouteSource } from './route-parts.js';
import type { RouteSources } from './route-sources.js';

/** The way of frames into one route: into the ring of its slot, or behind those that wait on the disk. */
export class Entrance {
  readonly #slot: Slot;
  readonly #sources: RouteSources;
  readonly #parked: ParkedFrames;
  /** Since when no frame was taken for lack of a slab, performance.now(). */
  #fullSince: number | undefined;

  constructor(slot: Slot, sources: RouteSources, parked: ParkedFrames) {
    this.#slot = slot;
    this.#sources = sources;
    this.#parked = parked;
  }

  /** Registers a source and gives its number in `push`. */
  attach(source: RouteSource): number {
    return this.#sources.attach(source);
  }

  get isServed(): boolean {
    return this.#slot.state === 'serving';
  }

  hasRoom(bytes: number): boolean {
    const room = this.#parked.behind?.hasRoom(bytes) === true;
    if (!room) this.#full();
    return room;
  }

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
    const { ring } = this.#slot;
    // What is replayed came before all that waits, and need not wait behind it.
    const waits = this.#parked.keepsBack && this.#sources.at(origin)?.replays !== true;
    const to = waits ? this.#parked.behind : ring;
    const taken = to?.push(origin, sequence, source, topic, time, bytes, start, end, properties);
    if (taken === true) return true;
    this.#full();
    return false;
  }

  /** The source has handed over what it had for now. */
  turnEnded(): void {
    this.#slot.turnEnded();
    this.#parked.turnEnded();
  }

  /** A slab has gone back: who found no room is told. */
  freed(): void {
    if (this.#fullSince === undefined) return;
    this.#fullSince = undefined;
    this.#sources.resume();
  }

  /** Milliseconds since when it has been full without a slab that went back; 0 if it is not. */
  get fullForMs(): number {
    return this.#fullSince === undefined ? 0 : performance.now() - this.#fullSince;
  }

  #full(): void {
    this.#fullSince ??= performance.now();
  }
}
