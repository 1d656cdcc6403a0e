import type { FrameNames } from './source.js';

const FIRST_ROOM = 16;
/** W3C Trace Context, 3.2.2.3 and 3.2.2.4. */
const TRACE_ID = 16;
const PARENT_ID = 8;
/** '0', and what is below 'a' by ten. */
const DIGIT = 0x30;
const LETTER = 0x57;

/** The trace ids of frames that are not delivered, of those that came with one. */
export class FrameTraces implements FrameNames {
  #sequences = new Float64Array(FIRST_ROOM);
  #ids = Buffer.alloc(FIRST_ROOM * TRACE_ID);
  /** Those of [begin, end) are known; they are counted from the start, and stand at their number modulo the room. */
  #begin = 0;
  #end = 0;

  /** The trace context of a frame is at `bytes[at]`. Sequences come in their order. An id of zeros is none, and with it the context. */
  add(sequence: number, bytes: Uint8Array, at: number): void {
    const parent = at + TRACE_ID;
    if (isZero(bytes, at, parent) || isZero(bytes, parent, parent + PARENT_ID)) return;
    const id = this.#next(sequence);
    for (let i = 0; i < TRACE_ID; i++) this.#ids[id + i] = bytes[at + i]!;
  }

  /** The same of a trace id in hex: what `traceIdAt` has found. */
  addHex(sequence: number, bytes: Uint8Array, at: number): void {
    const id = this.#next(sequence);
    for (let i = 0; i < TRACE_ID; i++)
      this.#ids[id + i] = (digit(bytes[at + 2 * i]!) << 4) | digit(bytes[at + 2 * i + 1]!);
  }

  /** In hex; undefined: the frame came with none, or is delivered. */
  trace(sequence: number): string | undefined {
    let low = this.#begin;
    let high = this.#end;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      if (this.#sequences[this.#place(middle)]! < sequence) low = middle + 1;
      else high = middle;
    }
    const place = this.#place(low);
    if (low === this.#end || this.#sequences[place] !== sequence) return undefined;
    return this.#ids.toString('hex', place * TRACE_ID, (place + 1) * TRACE_ID);
  }

  /** Every frame up to this one is delivered. */
  delivered(sequence: number): void {
    while (this.#begin < this.#end && this.#sequences[this.#place(this.#begin)]! <= sequence) this.#begin++;
  }

  /** Where the id of this frame is to stand. */
  #next(sequence: number): number {
    if (this.#end - this.#begin === this.#sequences.length) this.#grow();
    const place = this.#place(this.#end++);
    this.#sequences[place] = sequence;
    return place * TRACE_ID;
  }

  #place(number: number): number {
    return number & (this.#sequences.length - 1);
  }

  #grow(): void {
    const room = this.#sequences.length * 2;
    const sequences = new Float64Array(room);
    const ids = Buffer.alloc(room * TRACE_ID);
    for (let number = this.#begin; number < this.#end; number++) {
      const from = this.#place(number);
      const to = number & (room - 1);
      sequences[to] = this.#sequences[from]!;
      this.#ids.copy(ids, to * TRACE_ID, from * TRACE_ID, (from + 1) * TRACE_ID);
    }
    this.#sequences = sequences;
    this.#ids = ids;
  }
}

function digit(byte: number): number {
  return byte < LETTER ? byte - DIGIT : byte - LETTER;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
