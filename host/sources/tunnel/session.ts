import type { Origin } from '../../sinks/message-id.js';

const FIRST_ROOM = 16;

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
  /** It is going to be looked at whether something of it is to be acknowledged. */
  isDue = false;
  /** By the client's sequence, modulo their number: the sequence here; 0: refused, which needs no delivery. */
  #sequences = new Float64Array(0);
  readonly #prefixes = new Map<number, Buffer>();

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
    this.#sequences[this.taken % this.#sequences.length] = sequence;
  }

  /** Every frame up to `sequence` is safe. True if that acknowledges one of this client. */
  delivered(sequence: number): boolean {
    const before = this.acknowledged;
    const room = this.#sequences.length;
    while (this.acknowledged < this.taken && this.#sequences[(this.acknowledged + 1) % room]! <= sequence)
      this.acknowledged += 1;
    return this.acknowledged > before;
  }

  /** What message ids begin with: `GATEWAY/SOURCE/CLIENT.SESSION-`. */
  prefix(origin: Origin): Buffer {
    const known = this.#prefixes.get(origin.number);
    if (known !== undefined) return known;
    const made = Buffer.from(`${origin.stem}${this.client}.${this.id.toString(36)}-`, 'utf8');
    this.#prefixes.set(origin.number, made);
    return made;
  }

  #grow(): void {
    const grown = new Float64Array(Math.max(FIRST_ROOM, this.#sequences.length * 2));
    for (let n = this.acknowledged + 1; n <= this.taken; n++)
      grown[n % grown.length] = this.#sequences[n % this.#sequences.length]!;
    this.#sequences = grown;
  }
}
