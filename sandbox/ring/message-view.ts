/**
 * A cursor on one message of a committed slab. Offsets are into `bytes`, which is shared memory that
 * belongs to the route until ack(): copy what you keep.
 */
export interface MessageView {
  /** The slab. */
  readonly bytes: Buffer;
  readonly topicStart: number;
  readonly topicEnd: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Nanoseconds since 1970 as two 32-bit halves. */
  readonly timestampLow: number;
  readonly timestampHigh: number;
  readonly contentTypeStart: number;
  readonly contentTypeEnd: number;
  /** 0 to 2. */
  readonly qos: number;
  readonly retain: boolean;
  readonly propertyCount: number;
  /** Index 0 to propertyCount - 1; the four offsets are then in the fields below. */
  property(index: number): void;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}
