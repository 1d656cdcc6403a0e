import { type Fault, HEADER, OPERATION, OutWriter, Slab } from '../../runtime/index.js';
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
   * @returns the frames that are concerned, and whether they are run again
   */
  blame(stage: number, fault: Fault): { frames: number; again: boolean } {
    const ring = this.#ring;
    if (ring.outstanding === 0) return { frames: 0, again: false };
    const sequence = ring.committed;
    const header = ring.headerOf(sequence);
    const { control } = ring;
    control[header + HEADER.piece] = 0;
    const count = control[header + HEADER.count] as number;
    if (control[header + HEADER.operation] === OPERATION.flush) {
      refuseFrame(ring, sequence, fault, Math.max(stage, 0));
      return { frames: count, again: false };
    }
    const alone = control[header + HEADER.isolate] === 1;
    if (alone && (stage >= 0 || this.#again(sequence, control[header + HEADER.progress] as number))) {
      refuseFrame(ring, sequence, fault, Math.max(stage, 0));
      return { frames: 1, again: false };
    }
    if (!alone || !keepsOutcomes(ring, sequence)) runAgain(ring, sequence);
    return { frames: count, again: !alone };
  }

  /** Nobody is to blame: who serves next finds the slab that was under way as it was published. */
  release(): void {
    const ring = this.#ring;
    if (ring.outstanding === 0) return;
    const sequence = ring.committed;
    const header = ring.headerOf(sequence);
    const { control } = ring;
    control[header + HEADER.piece] = 0;
    if (control[header + HEADER.isolate] === 1 && keepsOutcomes(ring, sequence)) return;
    control[header + HEADER.progress] = control[header + HEADER.begin] as number;
    control[header + HEADER.size] = ring.slabOf(sequence).size;
  }

  /** Refuses every frame that is published and not committed; what is under way has been released before. */
  refuseAll(fault: Fault): void {
    const ring = this.#ring;
    const { control } = ring;
    const text = Buffer.from(fault.message);
    while (ring.outstanding > 0) {
      const sequence = ring.committed;
      // The rest of a slab comes first, and not before the piece of it that is committed is taken.
      if (control[ring.headerOf(sequence - 1) + HEADER.piece] === 1) return;
      const header = ring.headerOf(sequence);
      const flush = control[header + HEADER.operation] === OPERATION.flush;
      const first = control[header + HEADER.progress] as number;
      const out = outcomesOf(ring, sequence);
      control[header + HEADER.piece] = 0;
      const count = control[header + HEADER.count] as number;
      for (let index = flush ? 0 : first; index < count; index++) {
        if (flush) out.messages(index, 0, 0);
        else out.fault(index, fault.code, 0, text);
      }
      finish(ring, sequence, out, count);
    }
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
 * The frame at which a frame-by-frame run died is refused with the code of the death, and committed with those before
 * it; the next session goes on behind it.
 */
function refuseFrame(ring: Ring, sequence: number, fault: Fault, stage: number): void {
  const header = ring.headerOf(sequence);
  const { control } = ring;
  const count = control[header + HEADER.count] as number;
  const flush = control[header + HEADER.operation] === OPERATION.flush;
  const out = outcomesOf(ring, sequence);
  const progress = control[header + HEADER.progress] as number;
  if (flush) for (let index = 0; index < count; index++) out.messages(index, 0, 0);
  out.fault(flush ? Math.min(stage, count - 1) : progress, fault.code, stage, Buffer.from(fault.message));
  finish(ring, sequence, out, flush ? count : progress + 1);
}

/** Writes behind the outcomes that are final, if the dead thread's are still there. */
function outcomesOf(ring: Ring, sequence: number): OutWriter {
  const header = ring.headerOf(sequence);
  const { control } = ring;
  const begin = control[header + HEADER.begin] as number;
  if (!keepsOutcomes(ring, sequence)) control[header + HEADER.progress] = begin;
  const kept = {
    at: control[header + HEADER.outEnd] as number,
    faults: control[header + HEADER.faults] as number,
  };
  return new OutWriter(
    ring.slabOf(sequence),
    control[header + HEADER.inputEnd] as number,
    control[header + HEADER.count] as number,
    Number.POSITIVE_INFINITY,
    enlarge,
    (control[header + HEADER.progress] as number) > begin ? kept : undefined,
  );
}

/** Commits what is final: outcomes up to `progress`. */
function finish(ring: Ring, sequence: number, out: OutWriter, progress: number): void {
  const header = ring.headerOf(sequence);
  const { control } = ring;
  if (out.slab !== ring.slabOf(sequence))
    ring.adopt(sequence & (ring.slabs - 1), out.slab.buffer as SharedArrayBuffer);
  control[header + HEADER.size] = out.slab.size;
  control[header + HEADER.outcomesAt] = out.outcomesAt;
  control[header + HEADER.outEnd] = out.at;
  control[header + HEADER.faults] = out.faults;
  control[header + HEADER.progress] = progress;
  control[header + HEADER.isolate] = 1;
  control[header + HEADER.micros] = -1;
  if (progress < (control[header + HEADER.count] as number)) control[header + HEADER.piece] = 1;
  ring.commitFor(sequence);
}

function enlarge(old: Slab, size: number): Slab {
  const larger = new Slab(new SharedArrayBuffer(size));
  larger.u8.set(old.u8);
  return larger;
}
