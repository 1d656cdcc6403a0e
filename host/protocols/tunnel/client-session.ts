import { SluiceError } from '../../../runtime/index.js';
import { type DataParts, encodeBare, encodeData, encodeHello } from './encode.js';
import { FrameReader } from './frame-reader.js';
import { type Close, checkSequence, readClose, readWelcome, type Welcome } from './messages.js';
import { TYPE } from './wire.js';

export interface ClientIdentity {
  readonly client: string;
  /** 1 to 2^53-1; another one whenever the numbering begins anew. */
  readonly session: number;
  readonly token?: string | undefined;
}

export interface ClientEvents {
  welcome?(welcome: Welcome): void;
  /** Every frame up to this one is safe. */
  acknowledged?(sequence: number): void;
  /** The server ends the connection. */
  close?(close: Close): void;
}

/** Largest frame of a server's; only a CLOSE has more than a few bytes. */
const LARGEST = 4_096;

/**
 * The client side of a tunnel without a socket (tunnel.md, 5): keeps what is not acknowledged, and knows what
 * may be sent. For each connection: `begin`, then `receive` what comes, and write what `take` gives whenever
 * one of them, or `send`, was called.
 */
export class ClientSession {
  readonly #identity: ClientIdentity;
  readonly #capacity: number;
  readonly #events: ClientEvents;
  /** Whole frames that are not acknowledged, oldest first; the first has the sequence `#first`. */
  #kept: Buffer[] = [];
  #first = 1;
  /** Last frame that was written to this connection. */
  #sent = 0;
  #window = 0;
  #reader = new FrameReader(LARGEST);
  #out: Buffer[] = [];

  /** @param capacity most frames that are kept until they are acknowledged */
  constructor(identity: ClientIdentity, capacity: number, events: ClientEvents = {}) {
    this.#identity = identity;
    this.#capacity = capacity;
    this.#events = events;
  }

  /** Frames that are not acknowledged. */
  get open(): number {
    return this.#kept.length;
  }

  /** Last sequence that is acknowledged. */
  get acknowledged(): number {
    return this.#first - 1;
  }

  /** Takes a frame: its sequence, or 0 if as many are kept as may be. */
  send(parts: DataParts): number {
    if (this.#kept.length === this.#capacity) return 0;
    const sequence = this.#first + this.#kept.length;
    this.#kept.push(encodeData(sequence, parts));
    return sequence;
  }

  /** A connection begins. */
  begin(): void {
    this.#reader = new FrameReader(LARGEST);
    this.#window = 0;
    const { client, session, token = '' } = this.#identity;
    this.#out = [encodeHello({ client, session, first: this.#first, token })];
  }

  ping(): void {
    this.#out.push(encodeBare(TYPE.ping, 0));
  }

  /** Bytes that are to be written now; undefined: none. */
  take(): Buffer | undefined {
    const last = Math.min(this.#first + this.#window, this.#first + this.#kept.length);
    for (; this.#window > 0 && this.#sent + 1 < last; this.#sent++)
      this.#out.push(this.#kept[this.#sent + 1 - this.#first]!);
    if (this.#out.length === 0) return undefined;
    const bytes = this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out);
    this.#out = [];
    return bytes;
  }

  /** @throws SluiceError SLUICE_SOURCE_PROTOCOL and others of `FrameReader`: the connection has to end */
  receive(chunk: Uint8Array): void {
    const reader = this.#reader;
    reader.feed(chunk);
    while (reader.next()) this.#frame(reader);
  }

  #frame(reader: FrameReader): void {
    switch (reader.type) {
      case TYPE.welcome:
        this.#welcome(readWelcome(reader));
        return;
      case TYPE.ack:
        checkSequence(reader, 0);
        this.#acknowledge(reader.sequence);
        return;
      case TYPE.ping:
        this.#out.push(encodeBare(TYPE.pong, reader.sequence));
        return;
      case TYPE.pong:
        return;
      case TYPE.close:
        this.#events.close?.(readClose(reader));
        return;
      default:
        throw new SluiceError('SLUICE_SOURCE_PROTOCOL', `the server sent a frame of type ${reader.type}`);
    }
  }

  #welcome(welcome: Welcome): void {
    const { taken, window } = welcome;
    // Taken, and not acknowledged yet: kept, in case the server is started again, and not sent now.
    this.#sent = taken;
    if (taken < this.#first - 1 || taken >= this.#first + this.#kept.length) {
      const has = `${this.#first} to ${this.#first + this.#kept.length - 1}`;
      throw new SluiceError(
        'SLUICE_SOURCE_PROTOCOL',
        `the server says that it took ${taken} where this end has ${has}`,
      );
    }
    this.#window = window;
    this.#events.welcome?.(welcome);
  }

  #acknowledge(sequence: number): void {
    const count = sequence - this.#first + 1;
    // An older one says nothing new.
    if (count <= 0) return;
    if (sequence > this.#sent)
      throw new SluiceError(
        'SLUICE_SOURCE_PROTOCOL',
        `the server acknowledges ${sequence}, and ${this.#sent} was sent last`,
      );
    this.#kept.splice(0, count);
    this.#first = sequence + 1;
    this.#events.acknowledged?.(sequence);
  }
}
