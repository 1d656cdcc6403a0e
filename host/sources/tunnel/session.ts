import type { Fault } from '../../../runtime/index.js';
import type { Origin } from '../../sinks/message-id.js';

const FIRST_ROOM = 16;

/** Over which a client is told. */
export interface Line {
  readonly peer: string;
  acknowledge(): void;
  /** @param why goes behind the client's name */
  close(code: Fault['code'], why: string, reason: number): void;
}

/**
 * What is known of one client: how far its own sequence was taken, and how far it is delivered. It outlives
 * connections, so that a client that comes back goes on where it was.
 */
export class Session {
  readonly client: string;
  /** The run of the client's numbering. */
  readonly id: number;
  /** Last frame that was handed over, and last that is delivered; of the client's sequence. */
  taken: number;
  acknowledged: number;
  /** Milliseconds since 1970 of the last frame, 0 if none. */
  lastFrame = 0;
  /** The client's connection, while there is one and this is what it goes on with. */
  line: Line | undefined;
  /** It is going to be looked at whether something of it is to be acknowledged. */
  isDue = false;
  /** Its neighbours in the order in which clients last came; for Sessions. */
  older: Session | undefined;
  newer: Session | undefined;
  /** By the client's sequence, modulo their number: the sequence here; 0: refused, which needs no delivery. */
  #sequences = new Float64Array(0);
  readonly #prefixes = new Map<number, Buffer>();
  /** The one that was asked for last: that of the next frame is mostly the same. */
  #origin: Origin | undefined;
  #prefix: Buffer | undefined;

  /** @param taken nothing up to this one is waited for */
  constructor(client: string, id: number, taken: number) {
    this.client = client;
    this.id = id;
    this.taken = taken;
    this.acknowledged = taken;
  }

  /** Frames that were taken and are not acknowledged. */
  get open(): number {
    return this.taken - this.acknowledged;
  }

  /** The client's next frame was taken. @param sequence of the frame here; 0: it was refused */
  take(sequence: number): void {
    if (this.open === this.#sequences.length) this.#grow();
    this.taken += 1;
    this.#sequences[this.#place(this.taken)] = sequence;
  }

  /** Every frame up to `sequence` is safe. True if that acknowledges one of this client. */
  delivered(sequence: number): boolean {
    const before = this.acknowledged;
    if (before === this.taken) return false;
    const last = this.#sequences[this.#place(this.taken)]!;
    // Mostly all are; where the last was refused, that says nothing of those before it.
    if (last > 0 && last <= sequence) this.acknowledged = this.taken;
    while (this.acknowledged < this.taken && this.#sequences[this.#place(this.acknowledged + 1)]! <= sequence)
      this.acknowledged += 1;
    return this.acknowledged > before;
  }

  /** What message ids begin with: `GATEWAY/SOURCE/CLIENT.SESSION-`. */
  prefix(origin: Origin): Buffer {
    if (origin !== this.#origin) {
      this.#prefix = this.#prefixOf(origin);
      this.#origin = origin;
    }
    return this.#prefix as Buffer;
  }

  #prefixOf(origin: Origin): Buffer {
    const known = this.#prefixes.get(origin.number);
    if (known !== undefined) return known;
    const made = Buffer.from(`${origin.stem}${this.client}.${this.id.toString(36)}-`, 'utf8');
    this.#prefixes.set(origin.number, made);
    return made;
  }

  /** Their number is a power of two. */
  #place(sequence: number): number {
    return sequence & (this.#sequences.length - 1);
  }

  #grow(): void {
    const grown = new Float64Array(Math.max(FIRST_ROOM, this.#sequences.length * 2));
    for (let n = this.acknowledged + 1; n <= this.taken; n++)
      grown[n & (grown.length - 1)] = this.#sequences[this.#place(n)]!;
    this.#sequences = grown;
  }
}
