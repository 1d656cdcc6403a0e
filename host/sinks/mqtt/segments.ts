/**
 * A piece of memory that holds encoded packets one behind the other. `pins` counts who still needs it:
 * each message that is not settled, and each write that the socket has not finished.
 */
export interface Segment {
  readonly bytes: Buffer;
  used: number;
  pins: number;
}

/** Empty segments up to this many bytes are kept for the next burst, what is more is given back. */
const KEEP_BYTES = 2 * 1024 * 1024;
/** What one turn brings is mostly one segment, and so one write. Memory that is not written to yet costs nothing. */
const SEGMENT_BYTES = 262_144;
const SMALLEST_SEGMENT = 256;

/**
 * The bytes of a sink's window, bounded. Messages are appended to the last segment; a segment is used
 * again once all of its messages are settled, in whatever order that happens. No allocation a message,
 * but for one that is larger than a segment: it gets a segment of its own.
 */
export class SegmentStore {
  readonly #limit: number;
  readonly #size: number;
  readonly #free: Segment[] = [];
  #last: Segment | undefined;
  #held = 0;

  /** @param limit bytes that may be held at once */
  constructor(limit: number) {
    this.#limit = limit;
    this.#size = Math.min(SEGMENT_BYTES, limit, Math.max(SMALLEST_SEGMENT, limit >> 3));
  }

  /** The largest message that can ever be held. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes of memory in use: whole segments, as that is what they cost. */
  get held(): number {
    return this.#held;
  }

  /** A segment with `size` bytes free behind `used`, or undefined when the window is full. */
  room(size: number): Segment | undefined {
    const last = this.#last;
    if (last !== undefined && last.bytes.length - last.used >= size) return last;
    // An empty last segment makes way; `unpin` has not returned it so that it can be filled again.
    const back = last !== undefined && last.pins === 0 ? last.bytes.length : 0;
    const length = Math.max(this.#size, size);
    if (this.#held - back + length > this.#limit) {
      // Better a segment that just fits than to wait for a full one.
      if (this.#held - back + size > this.#limit) return undefined;
    }
    if (last !== undefined && last.pins === 0) this.#release(last);
    const granted = Math.min(length, this.#limit - this.#held);
    const segment = (granted === this.#size ? this.#free.pop() : undefined) ?? {
      bytes: Buffer.allocUnsafeSlow(granted),
      used: 0,
      pins: 0,
    };
    this.#held += segment.bytes.length;
    this.#last = segment;
    return segment;
  }

  unpin(segment: Segment, count = 1): void {
    segment.pins -= count;
    if (segment.pins > 0) return;
    segment.used = 0;
    if (segment !== this.#last) this.#release(segment);
  }

  #release(segment: Segment): void {
    this.#held -= segment.bytes.length;
    if (segment === this.#last) this.#last = undefined;
    if (segment.bytes.length === this.#size && this.#free.length * this.#size < KEEP_BYTES) {
      this.#free.push(segment);
    }
  }
}
