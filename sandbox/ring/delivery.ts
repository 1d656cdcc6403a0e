import {
  FRAME,
  type FrameCopy,
  HEADER,
  LIMITS,
  MessageCursor,
  OPERATION,
  OutcomeCursor,
  PROPERTY,
  type Slab,
  SluiceError,
} from '../../runtime/index.js';

/**
 * The results of one committed slab, in the hands of the route until it acks. One object a slab of the
 * ring, used again and again; after the ack every access throws.
 */
export class Delivery {
  readonly outcome = new OutcomeCursor();
  readonly message = new MessageCursor();
  readonly #control: Int32Array;
  readonly #origins = new Uint32Array(LIMITS.batch);
  readonly #sequences = new Float64Array(LIMITS.batch);
  #slab: Slab | undefined;
  #header = 0;

  constructor(control: Int32Array) {
    this.#control = control;
  }

  /** Remembers where a frame of the slab being filled comes from. */
  origin(index: number, origin: number, sequence: number): void {
    this.#origins[index] = origin;
    this.#sequences[index] = sequence;
  }

  open(slab: Slab, header: number): void {
    this.#slab = slab;
    this.#header = header;
  }

  close(): void {
    this.#slab = undefined;
    this.message.load(undefined, 0);
  }

  /** @throws SluiceError SLUICE_RING_ACKED after ack() */
  get slab(): Slab {
    if (this.#slab === undefined) throw new SluiceError('SLUICE_RING_ACKED', 'a slab was read after ack()');
    return this.#slab;
  }

  /** True for what a flush gave out: its outcomes belong to stages, not to frames. */
  get isFlush(): boolean {
    return this.#word(HEADER.operation) === OPERATION.flush;
  }

  /** First frame of this delivery (more than 0 when results come in pieces). */
  get begin(): number {
    return this.#word(HEADER.begin);
  }

  /** One behind the last frame of this delivery. */
  get end(): number {
    return this.#word(HEADER.piece) === 1 ? this.#word(HEADER.progress) : this.#word(HEADER.count);
  }

  /** Outcomes that are faults or refusals. */
  get faults(): number {
    return this.#word(HEADER.faults);
  }

  /** Its frames were run one by one. */
  get isIsolated(): boolean {
    return this.#word(HEADER.isolate) === 1;
  }

  /** Time that the guests took; -1: not known. */
  get micros(): number {
    return this.#word(HEADER.micros);
  }

  /** More of the same slab follows after the ack. */
  get isPiece(): boolean {
    return this.#word(HEADER.piece) === 1;
  }

  originOf(frame: number): number {
    return this.#origins[frame] as number;
  }

  sequenceOf(frame: number): number {
    return this.#sequences[frame] as number;
  }

  /** Where the outcomes of its frames (or of the stages, for a flush) lie in the slab. */
  get outcomesAt(): number {
    return this.#word(HEADER.outcomesAt);
  }

  /** Sets `outcome` to that of a frame (or of a stage, for a flush). */
  load(frame: number): void {
    this.outcome.load(this.slab, this.outcomesAt, frame);
  }

  /** Offset of a frame's record in the slab. */
  recordAt(index: number): number {
    return this.#word(HEADER.recordsAt) + index * FRAME.size;
  }

  /** A frame, for the log and the quarantine. Allocates: only for frames that failed. */
  frame(index: number): FrameCopy {
    const at = this.recordAt(index);
    const w = this.slab.u32;
    const time = (at + FRAME.timestamp) >> 2;
    const [properties, count] = this.#pair(at + FRAME.properties);
    return {
      source: this.#text(at + FRAME.source),
      topic: this.#text(at + FRAME.topic),
      timestamp: (BigInt(w[time + 1] as number) << 32n) | BigInt(w[time] as number),
      payload: Uint8Array.from(this.#bytes(at + FRAME.payload)),
      properties: Array.from({ length: count }, (_, i): [string, string] => {
        const tuple = properties + i * PROPERTY.size;
        return [this.#text(tuple + PROPERTY.key), this.#text(tuple + PROPERTY.value)];
      }),
    };
  }

  #text(at: number): string {
    return this.#bytes(at).toString('utf8');
  }

  #bytes(at: number): Buffer {
    const [start, length] = this.#pair(at);
    return this.slab.u8.subarray(start, start + length);
  }

  /** A pointer and what stands beside it. */
  #pair(at: number): [number, number] {
    const w = this.slab.u32;
    return [w[at >> 2] as number, w[(at >> 2) + 1] as number];
  }

  #word(index: number): number {
    if (this.#slab === undefined) throw new SluiceError('SLUICE_RING_ACKED', 'a slab was read after ack()');
    return this.#control[this.#header + index] as number;
  }
}
