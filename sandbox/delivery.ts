import {
  HEADER,
  LIMITS,
  MessageCursor,
  OPERATION,
  OutcomeCursor,
  type Slab,
  SluiceError,
} from '../runtime/index.js';

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

  /** Sets `outcome` to that of a frame (or of a stage, for a flush). */
  load(frame: number): void {
    this.outcome.load(this.slab, this.#word(HEADER.outcomesAt), frame);
  }

  /** Bytes of a frame's payload, for the log and the quarantine. */
  payload(frame: number): Uint8Array {
    const w = this.slab.u32;
    const at = (this.#word(HEADER.recordsAt) >> 2) + frame * 10;
    const start = w[at + 6] as number;
    return Uint8Array.from(this.slab.u8.subarray(start, start + (w[at + 7] as number)));
  }

  #word(index: number): number {
    if (this.#slab === undefined) throw new SluiceError('SLUICE_RING_ACKED', 'a slab was read after ack()');
    return this.#control[this.#header + index] as number;
  }
}
