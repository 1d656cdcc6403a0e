import type { ErrorCode } from '../errors.js';
import { SluiceError } from '../errors.js';
import { outcomeNumber } from './outcome-codes.js';
import { alignUp, OUTCOME, type Slab } from './slab.js';

/** Longest text of a fault that is kept, in bytes. */
const FAULT_TEXT = 1024;

/**
 * Writes results behind the input of a slab. When they do not fit, the slab is replaced by a larger one
 * that begins with the same bytes, so that offsets stay what they are.
 */
export class OutWriter {
  slab: Slab;
  at: number;
  faults = 0;
  readonly outcomesAt: number;
  /** Most bytes of results for this slab. */
  readonly limit: number;
  readonly #inputEnd: number;
  readonly #enlarge: (slab: Slab, size: number) => Slab;

  /**
   * @param limit most bytes of results for this slab
   * @param enlarge makes a slab of at least `size` bytes that begins with the bytes of the old one
   * @param resume go on behind outcomes that are already there (frame-by-frame run after a restart)
   */
  constructor(
    slab: Slab,
    inputEnd: number,
    count: number,
    limit: number,
    enlarge: (slab: Slab, size: number) => Slab,
    resume?: { at: number; faults: number },
  ) {
    this.slab = slab;
    this.limit = limit;
    this.#inputEnd = inputEnd;
    this.#enlarge = enlarge;
    this.outcomesAt = alignUp(inputEnd, 16);
    this.at = resume?.at ?? this.outcomesAt;
    this.faults = resume?.faults ?? 0;
    if (resume === undefined) this.at = this.reserve(count * OUTCOME.size, 16) + count * OUTCOME.size;
  }

  /**
   * Makes sure that `length` bytes from the next multiple of `align` exist, and gives their offset.
   * Move `at` behind what was used.
   * @throws SluiceError SLUICE_GUEST_OUTPUT beyond the limit
   */
  reserve(length: number, align: number): number {
    const at = alignUp(this.at, align);
    const end = at + length;
    if (end <= this.slab.size) return at;
    if (end - this.#inputEnd > this.limit) {
      throw new SluiceError(
        'SLUICE_GUEST_OUTPUT',
        `the results of one batch need ${end - this.#inputEnd} bytes, the limit is ${this.limit}`,
      );
    }
    let size = this.slab.size;
    while (size < end) size *= 2;
    this.slab = this.#enlarge(this.slab, size);
    return at;
  }

  /** Copies bytes behind what is there; gives their offset. */
  copy(bytes: Uint8Array, align: number): number {
    const at = this.reserve(bytes.length, align);
    this.slab.u8.set(bytes, at);
    this.at = at + bytes.length;
    return at;
  }

  /** Sets the outcomes of frames [from, to) to "no messages". */
  clear(from: number, to: number): void {
    const at = this.outcomesAt >> 2;
    this.slab.u32.fill(0, at + from * OUTCOME.words, at + to * OUTCOME.words);
  }

  messages(index: number, count: number, offset: number): void {
    const at = (this.outcomesAt + index * OUTCOME.size) >> 2;
    const w = this.slab.u32;
    w[at] = 0;
    w[at + 1] = count;
    w[at + 2] = offset;
    w[at + 3] = 0;
  }

  /** The outcome of a frame that failed. Never throws: at the limit it goes without its text. */
  fault(index: number, code: ErrorCode, stage: number, text: Uint8Array): void {
    const end = this.at + Math.min(text.length, FAULT_TEXT);
    const fits = end <= this.slab.size || end - this.#inputEnd <= this.limit;
    const kept = text.subarray(0, fits ? FAULT_TEXT : 0);
    const offset = this.copy(kept, 1);
    const at = (this.outcomesAt + index * OUTCOME.size) >> 2;
    const w = this.slab.u32;
    w[at] = outcomeNumber(code) | (stage << 16);
    w[at + 1] = kept.length;
    w[at + 2] = offset;
    w[at + 3] = 0;
    this.faults++;
  }
}
