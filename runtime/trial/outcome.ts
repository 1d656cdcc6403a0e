import type { Slab } from '../batch/slab.js';
import type { MessageCursor, OutcomeCursor } from '../batch/slab-reader.js';
import { MESSAGE } from '../contract.js';
import type { ErrorCode } from '../errors.js';

/** A message of a plugin, copied out of its slab. */
export interface TrialMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
  readonly contentType: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly properties: readonly (readonly [string, string])[];
}

/** What became of one frame: messages, or a coded fault and then no messages. */
export interface Outcome {
  readonly messages: readonly TrialMessage[];
  readonly fault?: { readonly code: ErrorCode; readonly text: string };
}

/** Copies the outcome that `outcome` stands on. @param message is moved */
export function readOutcome(outcome: OutcomeCursor, message: MessageCursor, slab: Slab): Outcome {
  if (outcome.code !== undefined)
    return { messages: [], fault: { code: outcome.code, text: outcome.text(slab) } };
  const messages = Array.from({ length: outcome.messages }, (_, index): TrialMessage => {
    message.load(slab, outcome.offset + index * MESSAGE.size);
    const { bytes } = message;
    const text = (start: number, end: number): string => bytes.toString('utf8', start, end);
    return {
      topic: text(message.topicStart, message.topicEnd),
      payload: Buffer.from(bytes.subarray(message.payloadStart, message.payloadEnd)),
      timestamp: (BigInt(message.timestampHigh >>> 0) << 32n) | BigInt(message.timestampLow >>> 0),
      contentType: text(message.contentTypeStart, message.contentTypeEnd),
      qos: message.qos,
      retain: message.retain,
      properties: Array.from({ length: message.propertyCount }, (_unused, at): [string, string] => {
        message.property(at);
        return [text(message.keyStart, message.keyEnd), text(message.valueStart, message.valueEnd)];
      }),
    };
  });
  return { messages };
}
