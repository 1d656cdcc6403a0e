import { crc32c } from '../../../host/protocols/tunnel/crc32c.js';
import { encodeData, encodeHello } from '../../../host/protocols/tunnel/encode.js';

/** Frames of one connection as a load generator writes them: a template with a number in it, nothing allocated. */
export interface Framing {
  /** Bytes of each frame. */
  readonly size: number;
  /** What is written before the first frame, if anything. */
  readonly hello: Buffer | undefined;
  /** Writes frame `sequence` (1, 2, 3, ...) at `at`; gives where it ends. */
  put(out: Buffer, at: number, sequence: number): number;
}

/** The parts of every frame; `numberAt`: where in the payload the lower 32 bits of its sequence go. */
export interface FrameParts {
  readonly topic?: string;
  readonly payload: Buffer;
  readonly numberAt: number;
}

/** DATA frames of a tunnel (tunnel.md, 2 and 3.3). */
export class TunnelFraming implements Framing {
  readonly size: number;
  readonly hello: Buffer;
  readonly #frame: Buffer;
  readonly #numberAt: number;

  constructor(client: string, { topic, payload, numberAt }: FrameParts) {
    const parts = { payload, timestampMs: 0 };
    this.#frame = encodeData(1, topic === undefined ? parts : { ...parts, topic });
    this.size = this.#frame.length;
    this.#numberAt = this.size - 4 - payload.length + numberAt;
    this.hello = encodeHello({ client, session: 1 + Math.floor(Math.random() * 1e9), first: 1, token: '' });
  }

  put(out: Buffer, at: number, sequence: number): number {
    const frame = this.#frame;
    const end = frame.length - 4;
    frame.writeUInt32BE(sequence, 12);
    frame.writeUInt32BE(sequence, this.#numberAt);
    frame.writeUInt32BE(crc32c(frame, 0, end), end);
    out.set(frame, at);
    return at + frame.length;
  }
}

/** The least that keeps frames apart: length (4, of all that follows), length of the topic (2), topic, payload. */
export class PrefixFraming implements Framing {
  readonly size: number;
  readonly hello = undefined;
  readonly #frame: Buffer;
  readonly #numberAt: number;

  constructor({ topic = '', payload, numberAt }: FrameParts) {
    const name = Buffer.from(topic);
    this.size = 6 + name.length + payload.length;
    this.#frame = Buffer.alloc(this.size);
    this.#frame.writeUInt32BE(this.size - 4, 0);
    this.#frame.writeUInt16BE(name.length, 4);
    this.#frame.set(name, 6);
    this.#frame.set(payload, 6 + name.length);
    this.#numberAt = 6 + name.length + numberAt;
  }

  put(out: Buffer, at: number, sequence: number): number {
    this.#frame.writeUInt32BE(sequence, this.#numberAt);
    out.set(this.#frame, at);
    return at + this.size;
  }
}
