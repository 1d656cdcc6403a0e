import { HEADER, OutWriter, Slab } from '../../runtime/index.js';
import { headerOf } from '../ring/ring-words.js';

/** The slabs of the ring, as this thread sees and writes them. */
export class Slabs {
  readonly #control: Int32Array;
  readonly #slabs: Slab[];
  readonly #output: number;
  readonly #replaced: (index: number, buffer: SharedArrayBuffer) => void;

  /**
   * @param output bytes that the results of one batch may take
   * @param replaced told of a larger slab that takes the place of one whose results did not fit
   */
  constructor(
    control: Int32Array,
    buffers: readonly SharedArrayBuffer[],
    output: number,
    replaced: (index: number, buffer: SharedArrayBuffer) => void,
  ) {
    this.#control = control;
    this.#slabs = buffers.map(buffer => new Slab(buffer));
    this.#output = output;
    this.#replaced = replaced;
  }

  at(sequence: number): Slab {
    return this.#slabs[sequence & (this.#slabs.length - 1)] as Slab;
  }

  /** Where its header is, in words of the ring. */
  header(sequence: number): number {
    return headerOf(sequence, this.#slabs.length);
  }

  replace(index: number, buffer: SharedArrayBuffer): void {
    if (this.#slabs[index]?.buffer !== buffer) this.#slabs[index] = new Slab(buffer);
  }

  /** Only a piece of the slab before this one is committed: the host has to take that, and asks for the rest. */
  isPieceOut(sequence: number): boolean {
    return this.#control[this.header(sequence - 1) + HEADER.piece] === 1;
  }

  /** @param resume what another thread has written already */
  writer(
    sequence: number,
    header: number,
    count: number,
    resume?: { at: number; faults: number },
  ): OutWriter {
    const inputEnd = this.#control[header + HEADER.inputEnd] as number;
    return new OutWriter(this.at(sequence), inputEnd, count, this.#output, enlarge, resume);
  }

  /** Makes what `out` holds known: the slab (if it was replaced), its end and its outcomes. */
  settle(sequence: number, header: number, out: OutWriter): void {
    const control = this.#control;
    if (out.slab !== this.at(sequence)) {
      const index = sequence & (this.#slabs.length - 1);
      this.#slabs[index] = out.slab;
      this.#replaced(index, out.slab.buffer as SharedArrayBuffer);
    }
    control[header + HEADER.size] = out.slab.size;
    control[header + HEADER.outcomesAt] = out.outcomesAt;
    control[header + HEADER.outEnd] = out.at;
    control[header + HEADER.faults] = out.faults;
  }
}

function enlarge(slab: Slab, size: number): Slab {
  const larger = new Slab(new SharedArrayBuffer(size));
  larger.u8.set(slab.u8);
  return larger;
}
