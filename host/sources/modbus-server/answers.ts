import { encodeException } from '../../protocols/modbus-read.js';
import {
  EXCEPTION,
  encodeWritten,
  WRITE_ANSWER_BYTES,
  type WriteRequest,
} from '../../protocols/modbus-write.js';

/**
 * The answers that one device is owed, in the order of its requests: a write is answered once its frame is
 * delivered, or when its time is over; a request that is refused waits for those before it. Bounded.
 */
export class AnswerLine {
  readonly #size: number;
  readonly #transactions: Uint16Array;
  readonly #units: Uint8Array;
  readonly #functions: Uint8Array;
  readonly #firsts: Uint16Array;
  readonly #seconds: Uint16Array;
  /** 0: the write was done, or will be. */
  readonly #exceptions: Uint8Array;
  /** Of the frame; 0: there is nothing to wait for. */
  readonly #sequences: Float64Array;
  /** On the steady clock, never falling along the line. */
  readonly #deadlines: Float64Array;
  #head = 0;
  #count = 0;

  constructor(size: number) {
    this.#size = size;
    this.#transactions = new Uint16Array(size);
    this.#units = new Uint8Array(size);
    this.#functions = new Uint8Array(size);
    this.#firsts = new Uint16Array(size);
    this.#seconds = new Uint16Array(size);
    this.#exceptions = new Uint8Array(size);
    this.#sequences = new Float64Array(size);
    this.#deadlines = new Float64Array(size);
  }

  get length(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#size;
  }

  /** When the time of the oldest is over; Infinity without one. */
  get deadline(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#deadlines[this.#head]!;
  }

  /**
   * Takes a request that is answered in its turn; only while not full.
   * @param sequence its frame, @param deadline when its time is over; both 0 if `exception` refuses it
   */
  add(request: WriteRequest, sequence: number, deadline: number, exception = 0): void {
    const slot = (this.#head + this.#count) % this.#size;
    this.#transactions[slot] = request.transaction;
    this.#units[slot] = request.unit;
    this.#functions[slot] = request.function;
    this.#firsts[slot] = request.first;
    this.#seconds[slot] = request.second;
    this.#exceptions[slot] = exception;
    this.#sequences[slot] = sequence;
    this.#deadlines[slot] = deadline;
    this.#count += 1;
  }

  /** Writes that are not delivered and whose time is over are answered with "busy"; gives how many. */
  expire(delivered: number, now: number): number {
    let count = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#head + i) % this.#size;
      if (this.#deadlines[slot]! > now) break;
      if (this.#sequences[slot]! <= delivered) continue;
      this.#sequences[slot] = 0;
      this.#exceptions[slot] = EXCEPTION.busy;
      count += 1;
    }
    return count;
  }

  /** The write of this frame is answered with "busy" in its turn. False: it is not in the line. */
  sendBack(sequence: number): boolean {
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#head + i) % this.#size;
      if (this.#sequences[slot] !== sequence) continue;
      this.#exceptions[slot] = EXCEPTION.busy;
      return true;
    }
    return false;
  }

  /** All answers whose turn it is, for one write; undefined: none. */
  take(delivered: number): Buffer | undefined {
    let ready = 0;
    while (ready < this.#count && this.#sequences[(this.#head + ready) % this.#size]! <= delivered)
      ready += 1;
    if (ready === 0) return undefined;
    const out = Buffer.allocUnsafe(ready * WRITE_ANSWER_BYTES);
    let at = 0;
    for (; ready > 0; ready--) {
      at = this.#encode(this.#head, out, at);
      this.#head = (this.#head + 1) % this.#size;
      this.#count -= 1;
    }
    return out.subarray(0, at);
  }

  #encode(slot: number, out: Buffer, at: number): number {
    const transaction = this.#transactions[slot]!;
    const unit = this.#units[slot]!;
    const code = this.#functions[slot]!;
    const exception = this.#exceptions[slot]!;
    if (exception > 0) return at + encodeException(out.subarray(at), transaction, unit, code, exception);
    return encodeWritten(out, at, transaction, unit, code, this.#firsts[slot]!, this.#seconds[slot]!);
  }
}
