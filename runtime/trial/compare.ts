import type { Vector } from '../vector.js';
import { frameOf } from './frame.js';
import type { Outcome, TrialMessage } from './outcome.js';
import { showBytes, showFault } from './show.js';

/** One thing that is not as the vector says. */
export interface Difference {
  /** `fault`, `messages`, or `message 1 payload`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
}

/** What a plugin made of a vector's frame against what the vector says. Nothing: they agree. */
export function compare(vector: Vector, actual: Outcome): Difference[] {
  if (vector.fault !== undefined || actual.fault !== undefined) return compareFaults(vector, actual);
  const expected = expectedMessages(vector);
  const { messages } = actual;
  if (messages.length !== expected.length) {
    return [{ what: 'messages', expected: showAll(expected), actual: showAll(messages) }];
  }
  return expected.flatMap((message, i) => compareMessages(i + 1, message, messages[i] as TrialMessage));
}

function compareFaults({ fault, messages = [] }: Vector, actual: Outcome): Difference[] {
  if (fault !== undefined && fault.code === actual.fault?.code && fault.text === actual.fault.text) return [];
  const expected = fault === undefined ? `${messages.length} message(s)` : showFault(fault);
  return [
    {
      what: 'outcome',
      expected,
      actual: actual.fault === undefined ? showAll(actual.messages) : showFault(actual.fault),
    },
  ];
}

function compareMessages(number: number, expected: TrialMessage, actual: TrialMessage): Difference[] {
  const fields = [
    ['topic', expected.topic, actual.topic],
    ['payload', showBytes(expected.payload), showBytes(actual.payload)],
    ['content type', expected.contentType, actual.contentType],
    ['timestamp', String(expected.timestamp), String(actual.timestamp)],
    ['QoS', String(expected.qos), String(actual.qos)],
    ['retain', String(expected.retain), String(actual.retain)],
    ['properties', JSON.stringify(expected.properties), JSON.stringify(actual.properties)],
  ] as const;
  return fields
    .filter(([name, one, other]) =>
      name === 'payload' ? !expected.payload.equals(actual.payload) : one !== other,
    )
    .map(([name, one, other]) => ({ what: `message ${number} ${name}`, expected: one, actual: other }));
}

/** What a message leaves out equals the frame, is QoS 1, or is empty (runtime/vector.ts). */
function expectedMessages(vector: Vector): TrialMessage[] {
  const frame = frameOf(vector);
  return (vector.messages ?? []).map(message => ({
    topic: message.topic ?? frame.topic,
    payload:
      message.text === undefined ? Buffer.from(message.payload ?? '', 'hex') : Buffer.from(message.text),
    timestamp: message.timestamp === undefined ? frame.timestamp : BigInt(message.timestamp),
    contentType: message.contentType ?? '',
    qos: message.qos ?? 1,
    retain: message.retain ?? false,
    properties: message.properties ?? frame.properties,
  }));
}

function showAll(messages: readonly TrialMessage[]): string {
  const payloads = messages.map(({ payload }) => showBytes(payload));
  return `${messages.length} message(s)${payloads.length === 0 ? '' : `: ${payloads.join(', ')}`}`;
}
