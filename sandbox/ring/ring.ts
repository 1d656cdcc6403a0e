import {
  FrameWriter,
  HEADER,
  type Interned,
  LIMITS,
  OPERATION,
  Slab,
  SluiceError,
  type Stamp,
} from '../../runtime/index.js';
import type { RingBuffers } from '../messages.js';
import { Delivery } from './delivery.js';
import { headerOf, RING, ringWords } from './ring-words.js';

/** Told by a ring; set by its owner. */
export interface RingEvents {
  /** The sandbox has something to do: wake it. */
  published(): void;
  /** A slab was replaced by a larger or smaller one: tell the sandbox. */
  replaced(index: number, buffer: SharedArrayBuffer): void;
}

/**
 * The host's side of the shared-memory ring between a route and its sandbox. One producer, one consumer.
 * `publish` gives a slab to the sandbox, the sandbox commits it with one store, `next` hands its results
 * to the route, `ack` gives the memory back. The input part of a slab is never written between publish
 * and ack.
 */
export class Ring {
  readonly #control: Int32Array;
  readonly #slabs: Slab[];
  readonly #deliveries: Delivery[];
  readonly #records = new Uint32Array(LIMITS.batch * 10);
  readonly #events: RingEvents;
  #writer: FrameWriter | undefined;
  #published = 0;
  #frames = 0;
  #taken = 0;
  #acked = 0;
  #flushNext: number | undefined;
  /** Most frames of the next batches; follows the time that the guests take. */
  batchLimit = 64;

  /** @param first sequence number of the first slab, so that tests need not publish 2^31 of them */
  constructor(events: RingEvents, slabs: number = LIMITS.slabs, first = 0) {
    this.#events = events;
    this.#published = this.#taken = this.#acked = first | 0;
    this.#control = new Int32Array(new SharedArrayBuffer(ringWords(slabs) * 4));
    this.#control[RING.published] = this.#control[RING.committed] = this.#control[RING.seen] = first;
    this.#slabs = Array.from({ length: slabs }, () => newSlab(LIMITS.slab));
    this.#deliveries = this.#slabs.map(() => new Delivery(this.#control));
  }

  get buffers(): RingBuffers {
    return { control: this.#control.buffer as SharedArrayBuffer, slabs: this.#slabs.map(sharedOf) };
  }

  /** Number of slabs, a power of two. */
  get slabs(): number {
    return this.#slabs.length;
  }

  /** Words for those who watch the sandbox. */
  get control(): Int32Array {
    return this.#control;
  }

  /** Sequence number of the next publish. */
  get published(): number {
    return this.#published;
  }

  /** Sequence number of the next slab that `next` gives. */
  get taken(): number {
    return this.#taken;
  }

  get committed(): number {
    return Atomics.load(this.#control, RING.committed);
  }

  /** Published but not committed. */
  get outstanding(): number {
    return (this.#published - this.committed) | 0;
  }

  /** Slabs that are not free: being filled, with the sandbox, or with the route. */
  get inUse(): number {
    return ((this.#published - this.#acked) | 0) + (this.#writer === undefined ? 0 : 1);
  }

  /** Frames that were ever published. */
  get frames(): number {
    return this.#frames;
  }

  /** Frames written but not published. */
  get waiting(): number {
    return this.#writer?.count ?? 0;
  }

  /** True if a frame of `length` bytes would be taken. */
  hasRoom(length: number): boolean {
    if (this.#free) return true;
    const writer = this.#writer;
    return (
      writer !== undefined &&
      writer.count < this.batchLimit &&
      writer.used + length + 512 < writer.slab.size / 2
    );
  }

  get #free(): boolean {
    const inUse = (this.#published - this.#acked) | 0;
    return inUse + (this.#writer === undefined ? 0 : 1) < this.#slabs.length;
  }

  /**
   * Writes a frame to the current slab; a full slab is published by itself. Returns false, and takes
   * nothing, when no slab is free.
   * @param origin number of the source, @param sequence its frame, kept for the outcome
   * @throws SluiceError SLUICE_FRAME_TOO_LARGE
   */
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
    for (;;) {
      const writer = this.#writer ?? this.#open();
      if (writer === undefined) return false;
      if (writer.count < this.batchLimit && writer.push(source, topic, time, bytes, start, end, properties)) {
        (this.#deliveries[this.#published & (this.#slabs.length - 1)] as Delivery).origin(
          writer.count - 1,
          origin,
          sequence,
        );
        return true;
      }
      if (writer.count > 0) this.publish();
      else this.#enlarge(FrameWriter.need(source, topic, properties, end - start));
    }
  }

  /** Gives the current slab to the sandbox. */
  publish(): void {
    const writer = this.#writer;
    if (writer === undefined || writer.count === 0) return;
    this.#writer = undefined;
    this.#frames += writer.count;
    writer.finish(this.#control, headerOf(this.#published, this.#slabs.length));
    this.#advance();
  }

  /**
   * Publishes a flush as soon as a slab is free (at once, or with the next ack).
   * @param stages outcomes that the flush can have
   */
  flush(stages: number): void {
    this.publish();
    if (!this.#free) {
      this.#flushNext = stages;
      return;
    }
    this.#flushNext = undefined;
    const base = headerOf(this.#published, this.#slabs.length);
    const now = BigInt(Date.now()) * 1_000_000n;
    const header = this.#control;
    header.fill(0, base, base + HEADER.words);
    header[base + HEADER.operation] = OPERATION.flush;
    header[base + HEADER.count] = stages;
    header[base + HEADER.nowLow] = Number(now & 0xffffffffn) | 0;
    header[base + HEADER.nowHigh] = Number(now >> 32n) | 0;
    header[base + HEADER.size] = this.#slab(this.#published).size;
    this.#advance();
  }

  get flushPending(): boolean {
    return this.#flushNext !== undefined;
  }

  /** True if `next` has a slab to give. */
  get ready(): boolean {
    return ((this.committed - this.#taken) | 0) > 0;
  }

  /** The next committed slab that the route has not seen, or undefined. */
  next(): Delivery | undefined {
    if (!this.ready) return undefined;
    const sequence = this.#taken++ | 0;
    const delivery = this.#deliveries[sequence & (this.#slabs.length - 1)] as Delivery;
    delivery.open(this.#slab(sequence), headerOf(sequence, this.#slabs.length));
    return delivery;
  }

  /** @param faults that the session may go on behind from here on, seen all that was taken */
  bear(faults: number): void {
    Atomics.store(this.#control, RING.bears, faults);
    Atomics.store(this.#control, RING.seen, this.#taken);
  }

  /** Gives the oldest slab that was taken back to the producer. */
  ack(): void {
    const sequence = this.#acked;
    const base = headerOf(sequence, this.#slabs.length);
    const delivery = this.#deliveries[sequence & (this.#slabs.length - 1)] as Delivery;
    delivery.close();
    if (this.#control[base + HEADER.piece] === 1) {
      this.#askForRest(sequence, base);
      return;
    }
    this.#acked = (this.#acked + 1) | 0;
    // A slab that one large batch blew up shrinks again: a gateway must stay small.
    if (this.#slab(sequence).size > LIMITS.slab * 4) this.#replace(sequence, newSlab(LIMITS.slab));
    if (this.#flushNext !== undefined) this.flush(this.#flushNext);
  }

  /** The sandbox replaced a slab. */
  adopt(index: number, buffer: SharedArrayBuffer): void {
    this.#slabs[index] = new Slab(buffer);
  }

  slabOf(sequence: number): Slab {
    return this.#slab(sequence);
  }

  headerOf(sequence: number): number {
    return headerOf(sequence, this.#slabs.length);
  }

  /** Commits a slab in the sandbox's stead, after it died over it. */
  commitFor(sequence: number): void {
    Atomics.store(this.#control, RING.committed, (sequence + 1) | 0);
  }

  /**
   * Results that came in pieces: take the commit back, and let the sandbox go on behind what is delivered.
   * `piece` stays 1 until it does, so that it sees the mark for as long as it sees the commit.
   */
  #askForRest(sequence: number, base: number): void {
    const header = this.#control;
    header[base + HEADER.begin] = header[base + HEADER.progress] as number;
    header[base + HEADER.isolate] = 1;
    this.#taken = sequence;
    Atomics.store(header, RING.seen, sequence);
    Atomics.store(header, RING.committed, sequence);
    this.#events.published();
  }

  #advance(): void {
    this.#published = (this.#published + 1) | 0;
    Atomics.store(this.#control, RING.published, this.#published);
    this.#events.published();
  }

  #open(): FrameWriter | undefined {
    if (!this.#free) return undefined;
    const slab = this.#slab(this.#published);
    this.#writer = new FrameWriter(slab, this.#records, slab.size / 2);
    return this.#writer;
  }

  #enlarge(need: number): void {
    let size: number = LIMITS.slab;
    while (size / 2 < need && size < LIMITS.slabMax) size *= 2;
    if (size / 2 < need) {
      throw new SluiceError(
        'SLUICE_FRAME_TOO_LARGE',
        `a frame needs ${need} bytes, a slab takes ${LIMITS.slabMax / 2}`,
      );
    }
    this.#writer = undefined;
    this.#replace(this.#published, newSlab(size));
  }

  #replace(sequence: number, slab: Slab): void {
    const index = sequence & (this.#slabs.length - 1);
    this.#slabs[index] = slab;
    this.#events.replaced(index, sharedOf(slab));
  }

  #slab(sequence: number): Slab {
    return this.#slabs[sequence & (this.#slabs.length - 1)] as Slab;
  }
}

function newSlab(size: number): Slab {
  return new Slab(new SharedArrayBuffer(size));
}

function sharedOf(slab: Slab): SharedArrayBuffer {
  return slab.buffer as SharedArrayBuffer;
}
