import type { FrameId } from '../../sinks/message-id.js';
import type { FrameNames } from '../source.js';
import type { Session } from './session.js';

const FIRST_ROOM = 256;

/**
 * Of each frame that is not delivered: whose it is, and the sequence that its sender gave it. Message ids are
 * made of these, so that a frame that a client sends again, also to a gateway that was started again, gives
 * messages with the ids that they had.
 */
export class OwnIds implements FrameNames {
  #sessions = new Array<Session | undefined>(FIRST_ROOM).fill(undefined);
  #sequences = new Float64Array(FIRST_ROOM);
  #first = 1;
  #next = 1;

  /** Frame `sequence` is that of this session which was taken last. Sequences come in their order. */
  add(sequence: number, session: Session): void {
    if (sequence - this.#first >= this.#sequences.length) this.#grow(sequence);
    const at = sequence & (this.#sequences.length - 1);
    this.#sessions[at] = session;
    this.#sequences[at] = session.taken;
    this.#next = sequence + 1;
  }

  name(sequence: number, id: FrameId): void {
    if (sequence < this.#first || sequence >= this.#next) return;
    const at = sequence & (this.#sequences.length - 1);
    const session = this.#sessions[at];
    if (session === undefined) return;
    id.prefix = session.prefix(id.origin);
    id.sequence = this.#sequences[at]!;
  }

  /** Whose frame it is, of one that is not delivered yet. */
  sessionOf(sequence: number): Session | undefined {
    if (sequence < this.#first || sequence >= this.#next) return undefined;
    return this.#sessions[sequence & (this.#sessions.length - 1)];
  }

  delivered(sequence: number): void {
    this.#first = Math.max(this.#first, sequence + 1);
  }

  #grow(sequence: number): void {
    let room = this.#sequences.length;
    while (sequence - this.#first >= room) room *= 2;
    const sessions = new Array<Session | undefined>(room).fill(undefined);
    const sequences = new Float64Array(room);
    const mask = this.#sequences.length - 1;
    for (let n = this.#first; n < this.#next; n++) {
      sessions[n & (room - 1)] = this.#sessions[n & mask];
      sequences[n & (room - 1)] = this.#sequences[n & mask]!;
    }
    this.#sessions = sessions;
    this.#sequences = sequences;
  }
}
