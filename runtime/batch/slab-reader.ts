import { MESSAGE, PROPERTY } from '../contract.js';
import type { ErrorCode } from '../errors.js';
import { outcomeCode } from './outcome-codes.js';
import { OUTCOME, type Slab } from './slab.js';

/** Stands on one message of a committed slab; moved, never allocated, for each message. */
export class MessageCursor {
  #slab: Slab | undefined;
  #properties = 0;
  topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  timestampLow = 0;
  timestampHigh = 0;
  contentTypeStart = 0;
  contentTypeEnd = 0;
  qos = 0;
  retain = false;
  propertyCount = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  /** The slab. @throws TypeError after the slab was given back */
  get bytes(): Buffer {
    return (this.#slab as Slab).u8;
  }

  /** Moves to the record at `offset`; `undefined` when the slab is given back, so that late readers fail. */
  load(slab: Slab | undefined, offset: number): void {
    // Mostly it is what it was, and to store an object costs more than to look.
    if (this.#slab !== slab) this.#slab = slab;
    if (slab === undefined) return;
    const w = slab.u32;
    const at = offset >> 2;
    this.topicStart = w[at] as number;
    this.topicEnd = this.topicStart + (w[at + 1] as number);
    this.payloadStart = w[at + 2] as number;
    this.payloadEnd = this.payloadStart + (w[at + 3] as number);
    this.timestampLow = w[at + 4] as number;
    this.timestampHigh = w[at + 5] as number;
    this.contentTypeStart = w[at + 6] as number;
    this.contentTypeEnd = this.contentTypeStart + (w[at + 7] as number);
    const flags = w[at + (MESSAGE.qos >> 2)] as number;
    this.qos = flags & 0xff;
    this.retain = (flags & 0xff00) !== 0;
    this.#properties = w[at + 9] as number;
    this.propertyCount = w[at + 10] as number;
  }

  property(index: number): void {
    const w = (this.#slab as Slab).u32;
    const at = (this.#properties + index * PROPERTY.size) >> 2;
    this.keyStart = w[at] as number;
    this.keyEnd = this.keyStart + (w[at + 1] as number);
    this.valueStart = w[at + 2] as number;
    this.valueEnd = this.valueStart + (w[at + 3] as number);
  }
}

/** The outcome of frame `index`: how many messages, or which fault. Fields are set by `load`. */
export class OutcomeCursor {
  /** Undefined: messages. */
  code: ErrorCode | undefined;
  stage = 0;
  messages = 0;
  /** Offset of the message records. */
  offset = 0;
  #length = 0;

  load(slab: Slab, outcomesAt: number, index: number): void {
    const at = (outcomesAt + index * OUTCOME.size) >> 2;
    const head = slab.u32[at] as number;
    const number = head & 0xffff;
    this.code = number === 0 ? undefined : outcomeCode(number);
    this.stage = head >>> 16;
    this.messages = number === 0 ? (slab.u32[at + 1] as number) : 0;
    this.#length = number === 0 ? 0 : (slab.u32[at + 1] as number);
    this.offset = slab.u32[at + 2] as number;
  }

  /** The text of a fault. */
  text(slab: Slab): string {
    return slab.u8.toString('utf8', this.offset, this.offset + this.#length);
  }
}
