import { FRAME, PROPERTY, type Slab } from '../../runtime/index.js';
import type { MessageView } from '../../sandbox/index.js';

/** Stands on one frame of a slab as if it were a message: so it is put into the spool by the same way. */
export class FrameView implements MessageView {
  bytes: Buffer = Buffer.alloc(0);
  topicStart = 0;
  topicEnd = 0;
  payloadStart = 0;
  payloadEnd = 0;
  timestampLow = 0;
  timestampHigh = 0;
  readonly contentTypeStart = 0;
  readonly contentTypeEnd = 0;
  readonly qos = 0;
  readonly retain = false;
  propertyCount = 0;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  #words: Uint32Array = new Uint32Array(0);
  #properties = 0;

  /** @param at offset of the frame's record */
  load(slab: Slab, at: number): void {
    const words = slab.u32;
    this.bytes = slab.u8;
    this.#words = words;
    this.topicStart = words[(at + FRAME.topic) >> 2] as number;
    this.topicEnd = this.topicStart + (words[(at + FRAME.topic + 4) >> 2] as number);
    this.payloadStart = words[(at + FRAME.payload) >> 2] as number;
    this.payloadEnd = this.payloadStart + (words[(at + FRAME.payload + 4) >> 2] as number);
    this.timestampLow = words[(at + FRAME.timestamp) >> 2] as number;
    this.timestampHigh = words[(at + FRAME.timestamp + 4) >> 2] as number;
    this.#properties = words[(at + FRAME.properties) >> 2] as number;
    this.propertyCount = words[(at + FRAME.properties + 4) >> 2] as number;
  }

  property(index: number): void {
    const word = (this.#properties + index * PROPERTY.size) >> 2;
    this.keyStart = this.#words[word] as number;
    this.keyEnd = this.keyStart + (this.#words[word + 1] as number);
    this.valueStart = this.#words[word + 2] as number;
    this.valueEnd = this.valueStart + (this.#words[word + 3] as number);
  }
}
