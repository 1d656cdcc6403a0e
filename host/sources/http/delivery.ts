import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, Stamp } from '../../../runtime/index.js';
import { LineCursor } from '../../protocols/ndjson.js';
import type { FrameTraces } from '../frame-traces.js';
import type { Ingress } from '../source.js';
import type { HttpNames, Sender } from './http-names.js';

/** What a request costs beside its body until it is answered: its objects, its headers, its place in the pipeline. */
export const OVERHEAD_BYTES = 4_096;

const NOTHING = Buffer.alloc(0);

/** One request whose frames are handed over, and then waited for. */
export class Delivery {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly peer: string;
  /** Answered as soon as all frames are handed over. Source: RFC 7240, 4.1. */
  readonly isAsync: boolean;
  /** Frames that were handed over, and the sequence of the last. */
  taken = 0;
  sequence = 0;
  /** Why a route did not take one of them: the sender is told to come again. */
  sentBack: ErrorCode | undefined;
  /** Bytes that it keeps in hand: its body until its frames are handed over, the rest until it is answered. */
  holding: number;
  /** When it is given up, steady clock. */
  readonly deadline: number;
  #body: Buffer;
  readonly #topic: Buffer;
  readonly #sender: Sender;
  readonly #trace: Buffer | undefined;
  readonly #time: Stamp;
  readonly #lines: LineCursor | undefined;
  /** The current frame found no room. */
  #held = false;
  #done = false;
  /** Sequence of its first frame. */
  #first = 0;

  constructor(
    exchange: { request: IncomingMessage; response: ServerResponse; peer: string; isAsync: boolean },
    frame: {
      body: Buffer;
      topic: Buffer;
      sender: Sender;
      receivedAt: number;
      byLines: boolean;
      /** In hex. */
      trace: Buffer | undefined;
    },
    deadline: number,
  ) {
    this.request = exchange.request;
    this.response = exchange.response;
    this.peer = exchange.peer;
    this.isAsync = exchange.isAsync;
    this.deadline = deadline;
    this.#body = frame.body;
    this.holding = frame.body.length + OVERHEAD_BYTES;
    this.#topic = frame.topic;
    this.#sender = frame.sender;
    this.#trace = frame.trace;
    this.#time = Stamp.ofMs(frame.receivedAt);
    if (!frame.byLines) return;
    this.#lines = new LineCursor();
    this.#lines.over(frame.body);
  }

  /** Hands over what there is room for; true: all of it. @throws SluiceError SLUICE_FRAME_TOO_LARGE */
  push(ingress: Ingress, names: HttpNames, traces: FrameTraces): boolean {
    while (this.#held || this.#next()) {
      const { start, end } = this.#lines ?? { start: 0, end: this.#body.length };
      // Numbers are handed on: while this waited, others may have taken over those that it had.
      const topic = names.topicOf(this.#topic);
      const list = names.propertiesOf(this.#sender);
      const sequence = ingress.push(topic, this.#time, this.#body, start, end, list);
      this.#held = sequence === 0;
      if (this.#held) return false;
      if (this.#trace !== undefined) traces.addHex(sequence, this.#trace, 0);
      this.sequence = sequence;
      if (this.taken === 0) this.#first = sequence;
      this.taken += 1;
    }
    return true;
  }

  /** The frame is one of its own, for sure: those of others may lie between. */
  owns(sequence: number): boolean {
    const behind = this.sequence - sequence;
    return behind >= 0 && behind < this.taken && this.#first === this.sequence - this.taken + 1;
  }

  /** Its frames are handed over, or given up. */
  dropBody(): void {
    this.#body = NOTHING;
    this.#lines?.over(NOTHING);
  }

  #next(): boolean {
    if (this.#lines !== undefined) return this.#lines.next();
    const first = !this.#done;
    this.#done = true;
    return first;
  }
}
