import type { MessageView } from '../../../sandbox/index.js';

export interface TestMessage {
  readonly topic: string | Uint8Array;
  readonly payload?: string | Uint8Array;
  readonly contentType?: string | Uint8Array;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: readonly (readonly [string | Uint8Array, string | Uint8Array])[];
}

interface Placed {
  readonly topic: Span;
  readonly payload: Span;
  readonly contentType: Span;
  readonly properties: readonly { key: Span; value: Span }[];
  readonly qos: number;
  readonly retain: boolean;
}
type Span = readonly [start: number, end: number];

/** A MessageView over messages of a test, laid out in shared memory as those of a slab are. */
export class TestView implements MessageView {
  readonly bytes: Buffer;
  readonly #placed: readonly Placed[];
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
  #properties: Placed['properties'] = [];

  constructor(messages: readonly TestMessage[]) {
    const parts: Uint8Array[] = [];
    let used = 0;
    const place = (value: string | Uint8Array): Span => {
      const part = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
      parts.push(part);
      used += part.length;
      return [used - part.length, used];
    };
    this.#placed = messages.map(message => ({
      topic: place(message.topic),
      payload: place(message.payload ?? ''),
      contentType: place(message.contentType ?? ''),
      properties: (message.properties ?? []).map(([key, value]) => ({
        key: place(key),
        value: place(value),
      })),
      qos: message.qos ?? 0,
      retain: message.retain ?? false,
    }));
    this.bytes = Buffer.from(new SharedArrayBuffer(Math.max(1, used)));
    Buffer.concat(parts).copy(this.bytes);
    if (messages.length > 0) this.at(0);
  }

  get count(): number {
    return this.#placed.length;
  }

  /** Moves the cursor. */
  at(index: number): this {
    const placed = this.#placed[index]!;
    [this.topicStart, this.topicEnd] = placed.topic;
    [this.payloadStart, this.payloadEnd] = placed.payload;
    [this.contentTypeStart, this.contentTypeEnd] = placed.contentType;
    this.qos = placed.qos;
    this.retain = placed.retain;
    this.#properties = placed.properties;
    this.propertyCount = placed.properties.length;
    return this;
  }

  property(index: number): void {
    const { key, value } = this.#properties[index]!;
    [this.keyStart, this.keyEnd] = key;
    [this.valueStart, this.valueEnd] = value;
  }
}

/** One message under the cursor. */
export function viewOf(message: TestMessage): TestView {
  return new TestView([message]);
}
