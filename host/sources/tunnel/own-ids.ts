import type { FrameId } from '../../sinks/message-id.js';
import { FrameTraces } from '../frame-traces.js';
import type { FrameNames } from '../source.js';
import type { Session } from './session.js';

/** Runs; a power of two. */
const FIRST_ROOM = 16;

/**
 * Of the frames that are not delivered: whose they are, and the sequences and traces that their senders gave them. Message
 * ids are made of the sequences, so that a frame that a client sends again, also to a gateway that was started again,
 * gives messages with the ids that they had.
 *
 * Kept by runs: frames of one session that follow one another here mostly do so there too.
 */
export class OwnIds implements FrameNames {
  /** Of each run: whose it is, the sequence of its first frame, and how far the sender's is ahead of that. */
  #sessions = new Array<Session | undefined>(FIRST_ROOM).fill(undefined);
  #firsts = new Float64Array(FIRST_ROOM);
  #aheads = new Float64Array(FIRST_ROOM);
  /** Runs [begin, end) are known; they are counted from the start, and stand at their number modulo the room. */
  #begin = 0;
  #end = 0;
  /** The run that was asked for last: its number, and of which frames it is known to tell. */
  #at = 0;
  #from = 0;
  #upTo = 0;
  #delivered = 0;
  #next = 1;
  readonly #traces = new FrameTraces();

  /** Frame `sequence` is that of this session which was taken last. Sequences come in their order, and none is left out. */
  add(sequence: number, session: Session): void {
    const ahead = session.taken - sequence;
    this.#next = sequence + 1;
    if (this.#end > this.#begin) {
      const last = this.#place(this.#end - 1);
      if (this.#sessions[last] === session && this.#aheads[last] === ahead) return;
    }
    if (this.#end - this.#begin === this.#sessions.length) this.#grow();
    const place = this.#place(this.#end++);
    this.#sessions[place] = session;
    this.#firsts[place] = sequence;
    this.#aheads[place] = ahead;
  }

  /** The frame that was added last came with the trace context at `bytes[at]`. */
  traced(bytes: Uint8Array, at: number): void {
    this.#traces.add(this.#next - 1, bytes, at);
  }

  trace(sequence: number): string | undefined {
    return this.#traces.trace(sequence);
  }

  name(sequence: number, id: FrameId): void {
    if (sequence <= this.#delivered || sequence >= this.#next) return;
    if (sequence < this.#from || sequence >= this.#upTo) this.#look(sequence);
    const place = this.#place(this.#at);
    id.prefix = (this.#sessions[place] as Session).prefix(id.origin);
    id.sequence = sequence + this.#aheads[place]!;
  }

  /** Every frame up to this one is delivered. @param whose told the session of those that were not before; one may come again */
  delivered(sequence: number, whose: (session: Session) => void): void {
    let before: Session | undefined;
    for (; this.#begin < this.#end; this.#begin++) {
      const place = this.#place(this.#begin);
      if (this.#firsts[place]! > sequence) break;
      const session = this.#sessions[place] as Session;
      if (session !== before) whose(session);
      before = session;
      // The rest of it is still under way.
      if (this.#behind(this.#begin) > sequence + 1) break;
      this.#sessions[place] = undefined;
    }
    this.#delivered = Math.max(this.#delivered, sequence);
    this.#traces.delivered(sequence);
  }

  #find(sequence: number): number {
    let low = this.#begin;
    let high = this.#end - 1;
    while (low < high) {
      const middle = low + Math.ceil((high - low) / 2);
      if (this.#firsts[this.#place(middle)]! <= sequence) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #look(sequence: number): void {
    this.#at = this.#find(sequence);
    this.#from = this.#firsts[this.#place(this.#at)]!;
    this.#upTo = this.#behind(this.#at);
  }

  /** The first sequence behind a run. */
  #behind(run: number): number {
    return run + 1 < this.#end ? this.#firsts[this.#place(run + 1)]! : this.#next;
  }

  #place(run: number): number {
    return run & (this.#sessions.length - 1);
  }

  #grow(): void {
    const room = this.#sessions.length * 2;
    const sessions = new Array<Session | undefined>(room).fill(undefined);
    const firsts = new Float64Array(room);
    const aheads = new Float64Array(room);
    for (let run = this.#begin; run < this.#end; run++) {
      sessions[run & (room - 1)] = this.#sessions[this.#place(run)];
      firsts[run & (room - 1)] = this.#firsts[this.#place(run)]!;
      aheads[run & (room - 1)] = this.#aheads[this.#place(run)]!;
    }
    this.#sessions = sessions;
    this.#firsts = firsts;
    this.#aheads = aheads;
  }
}
