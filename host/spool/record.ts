import type { MessageView } from '../../sandbox/index.js';
import type { MessageId } from '../sinks/message-id.js';
import { CHUNK } from '../store/spool-file.js';

/**
 * The image of a message in the spool: topic, payload, content type, id, properties (each: length of key and
 * value, then both), and this tail, so that topic and payload can be told by anyone who opens the file.
 */
const TAIL = {
  topic: 0,
  payload: 4,
  contentType: 8,
  id: 12,
  properties: 16,
  timestampLow: 20,
  timestampHigh: 24,
  qos: 28,
  retain: 29,
  size: 30,
} as const;

const PAIR = 8;

/** Lays a message out for the spool: `measure`, find room, `write`. Allocates nothing. */
export class RecordWriter {
  /** Bytes of the record that was measured last, with its header. */
  size = 0;
  #id = 0;

  get imageSize(): number {
    return this.size - CHUNK.header;
  }

  measure(view: MessageView, id: MessageId): void {
    this.#id = id.length;
    let size = CHUNK.header + TAIL.size + this.#id;
    size += view.topicEnd - view.topicStart + view.payloadEnd - view.payloadStart;
    size += view.contentTypeEnd - view.contentTypeStart;
    for (let i = 0; i < view.propertyCount; i++) {
      view.property(i);
      size += PAIR + view.keyEnd - view.keyStart + view.valueEnd - view.valueStart;
    }
    this.size = size;
  }

  /** @param place of the message in its queue, @param since milliseconds since 1970, @param mark shown when it is given back */
  write(
    view: MessageView,
    id: MessageId,
    queue: number,
    place: number,
    since: number,
    mark: number,
    out: Buffer,
    at: number,
  ): void {
    const { bytes } = view;
    const topic = view.topicEnd - view.topicStart;
    const payload = view.payloadEnd - view.payloadStart;
    out.writeUInt32LE(this.imageSize, at + CHUNK.size);
    out.writeUInt32LE(queue, at + CHUNK.queue);
    out.writeDoubleLE(place, at + CHUNK.place);
    out.writeDoubleLE(since, at + CHUNK.since);
    out.writeUInt32LE(topic, at + CHUNK.topic);
    out.writeUInt32LE(payload, at + CHUNK.payload);
    out.writeDoubleLE(mark, at + CHUNK.mark);
    let i = at + CHUNK.header;
    i += bytes.copy(out, i, view.topicStart, view.topicEnd);
    i += bytes.copy(out, i, view.payloadStart, view.payloadEnd);
    i += bytes.copy(out, i, view.contentTypeStart, view.contentTypeEnd);
    i = id.write(out, i);
    for (let p = 0; p < view.propertyCount; p++) {
      view.property(p);
      out.writeUInt32LE(view.keyEnd - view.keyStart, i);
      out.writeUInt32LE(view.valueEnd - view.valueStart, i + 4);
      i += PAIR;
      i += bytes.copy(out, i, view.keyStart, view.keyEnd);
      i += bytes.copy(out, i, view.valueStart, view.valueEnd);
    }
    out.writeUInt32LE(topic, i + TAIL.topic);
    out.writeUInt32LE(payload, i + TAIL.payload);
    out.writeUInt32LE(view.contentTypeEnd - view.contentTypeStart, i + TAIL.contentType);
    out.writeUInt32LE(this.#id, i + TAIL.id);
    out.writeUInt32LE(view.propertyCount, i + TAIL.properties);
    out.writeUInt32LE(view.timestampLow >>> 0, i + TAIL.timestampLow);
    out.writeUInt32LE(view.timestampHigh >>> 0, i + TAIL.timestampHigh);
    out[i + TAIL.qos] = view.qos;
    out[i + TAIL.retain] = view.retain ? 1 : 0;
  }
}

/** Stands on one record that was read back; its message and, as `MessageId`, its id. */
export class RecordView implements MessageView, MessageId {
  bytes: Buffer = Buffer.alloc(0);
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
  late = false;
  #idStart = 0;
  #idEnd = 0;
  #next = 0;

  /** Moves to the image `bytes[start, end)`, which is one that was written. */
  load(bytes: Buffer, start: number, end: number): void {
    const tail = end - TAIL.size;
    this.bytes = bytes;
    this.topicStart = start;
    this.topicEnd = start + bytes.readUInt32LE(tail + TAIL.topic);
    this.payloadStart = this.topicEnd;
    this.payloadEnd = this.payloadStart + bytes.readUInt32LE(tail + TAIL.payload);
    this.contentTypeStart = this.payloadEnd;
    this.contentTypeEnd = this.contentTypeStart + bytes.readUInt32LE(tail + TAIL.contentType);
    this.#idStart = this.contentTypeEnd;
    this.#idEnd = this.#idStart + bytes.readUInt32LE(tail + TAIL.id);
    this.propertyCount = bytes.readUInt32LE(tail + TAIL.properties);
    this.timestampLow = bytes.readUInt32LE(tail + TAIL.timestampLow);
    this.timestampHigh = bytes.readUInt32LE(tail + TAIL.timestampHigh);
    this.qos = bytes[tail + TAIL.qos] as number;
    this.retain = bytes[tail + TAIL.retain] === 1;
    this.#next = 0;
    this.valueEnd = this.#idEnd;
  }

  property(index: number): void {
    if (index < this.#next) {
      this.#next = 0;
      this.valueEnd = this.#idEnd;
    }
    for (; this.#next <= index; this.#next++) {
      const at = this.valueEnd;
      this.keyStart = at + PAIR;
      this.keyEnd = this.keyStart + this.bytes.readUInt32LE(at);
      this.valueStart = this.keyEnd;
      this.valueEnd = this.valueStart + this.bytes.readUInt32LE(at + 4);
    }
  }

  get length(): number {
    return this.#idEnd - this.#idStart;
  }

  write(out: Buffer, at: number): number {
    return at + this.bytes.copy(out, at, this.#idStart, this.#idEnd);
  }
}
