import { type Fault, HEADER, OPERATION, OutWriter, Slab } from '../runtime/index.js';
import type { Ring } from './ring.js';

/**
 * What the host does about the slab that a sandbox died over. The sandbox is gone, so the host is the
 * only writer until another session serves the ring.
 */
export class Recovery {
  readonly #ring: Ring;
  #sequence = -1;
  #progress = -1;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /**
   * Finds what the dead thread was at, and sees to it: a batch is to be run again frame by frame, a frame
   * that was run alone is refused.
   * @param stage of the call that it died in, -1 for none
   * @returns the number of frames that are concerned
   */
  blame(stage: number, fault: Fault): number {
    const ring = this.#ring;
    if (ring.outstanding === 0) return 0;
    const sequence = ring.committed;
    const header = ring.headerOf(sequence);
    const { control } = ring;
    control[header + HEADER.piece] = 0;
    const count = control[header + HEADER.count] as number;
    if (control[header + HEADER.operation] === OPERATION.flush) {
      refuseFrame(ring, sequence, fault, Math.max(stage, 0));
      return count;
    }
    const alone = control[header + HEADER.isolate] === 1;
    if (alone && (stage >= 0 || this.#again(sequence, control[header + HEADER.progress] as number))) {
      refuseFrame(ring, sequence, fault, Math.max(stage, 0));
      return 1;
    }
    if (!alone || !keepsOutcomes(ring, sequence)) runAgain(ring, sequence);
    return count;
  }

  /** A thread that dies outside of a call is not the frame's doing, unless it happens twice at the same one. */
  #again(sequence: number, progress: number): boolean {
    const again = this.#sequence === sequence && this.#progress === progress;
    this.#sequence = sequence;
    this.#progress = progress;
    return again;
  }
}

/** The batch was not committed: the next session runs it frame by frame from its input. */
function runAgain(ring: Ring, sequence: number): void {
  const header = ring.headerOf(sequence);
  const { control } = ring;
  control[header + HEADER.isolate] = 1;
  control[header + HEADER.progress] = control[header + HEADER.begin] as number;
  control[header + HEADER.size] = ring.slabOf(sequence).size;
}

/** False if the dead thread had moved to a larger slab that never reached us: then its outcomes are lost. */
function keepsOutcomes(ring: Ring, sequence: number): boolean {
  return ring.control[ring.headerOf(sequence) + HEADER.size] === ring.slabOf(sequence).size;
}

/**
 * The frame at which a frame-by-frame run died is refused with the code of the death; those before it
 * are kept, and the next session goes on behind it. Refusing the last one commits the slab.
 */
function refuseFrame(ring: Ring, sequence: number, fault: Fault, stage: number): void {
  const header = ring.headerOf(sequence);
  const { control } = ring;
  const slab = ring.slabOf(sequence);
  const count = control[header + HEADER.count] as number;
  const begin = control[header + HEADER.begin] as number;
  const flush = control[header + HEADER.operation] === OPERATION.flush;
  const progress = keepsOutcomes(ring, sequence) ? (control[header + HEADER.progress] as number) : begin;
  const inputEnd = control[header + HEADER.inputEnd] as number;
  const enlarge = (old: Slab, size: number): Slab => {
    const larger = new Slab(new SharedArrayBuffer(size));
    larger.u8.set(old.u8);
    return larger;
  };
  const kept = {
    at: control[header + HEADER.outEnd] as number,
    faults: control[header + HEADER.faults] as number,
  };
  const resume = progress > begin ? kept : undefined;
  const out = new OutWriter(slab, inputEnd, count, Number.POSITIVE_INFINITY, enlarge, resume);
  if (flush) for (let index = 0; index < count; index++) out.messages(index, 0, 0);
  const frame = flush ? Math.min(stage, count - 1) : progress;
  out.fault(frame, fault.code, stage, Buffer.from(fault.message));
  if (out.slab !== slab) ring.adopt(sequence & (ring.slabs - 1), out.slab.buffer as SharedArrayBuffer);
  control[header + HEADER.size] = out.slab.size;
  control[header + HEADER.outcomesAt] = out.outcomesAt;
  control[header + HEADER.outEnd] = out.at;
  control[header + HEADER.faults] = out.faults;
  control[header + HEADER.progress] = flush ? count : progress + 1;
  if (flush || progress + 1 === count) ring.commitFor(sequence);
}
