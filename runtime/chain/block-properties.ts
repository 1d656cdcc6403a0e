import { PROPERTY } from '../contract.js';
import type { Gathered } from './collect.js';

/**
 * A converter behind a kernel sees the sample data as payload, and its shape as the properties
 * `format` (bytes or f32), `channels` and `rate`.
 */
export function shapeAsProperties(items: Gathered): void {
  const { shape, count, tail = new Uint8Array(0) } = items;
  if (shape === undefined) return;
  const end = items.length + tail.length;
  const start = (end + 3) & ~3;
  const tuples: number[] = [];
  const texts: Buffer[] = [];
  const seen = new Map<string, number>();
  // All tuple lists first, then their texts: with few shapes in a batch this is a few hundred bytes.
  for (let i = 0; i < count; i++) {
    const key = `${shape.format[i]}/${shape.channels[i]}/${shape.rate[i]}`;
    if (!seen.has(key)) seen.set(key, seen.size);
  }
  const heads = seen.size * 3 * PROPERTY.size;
  let at = start + heads;
  for (const key of seen.keys()) {
    const [format, channels, rate] = key.split('/') as [string, string, string];
    for (const text of ['format', format === '1' ? 'f32' : 'bytes', 'channels', channels, 'rate', rate]) {
      const bytes = Buffer.from(text);
      tuples.push(at, bytes.length);
      texts.push(bytes);
      at += bytes.length;
    }
  }
  const head = Buffer.alloc(start - end + heads);
  for (const [index, value] of tuples.entries()) head.writeUInt32LE(value, start - end + index * 4);
  items.tail = Buffer.concat([tail, head, ...texts]);
  items.tuplesBase = 0;
  for (let i = 0; i < count; i++) {
    const order = seen.get(`${shape.format[i]}/${shape.channels[i]}/${shape.rate[i]}`) as number;
    items.records[i * 10 + 8] = start + order * 3 * PROPERTY.size;
    items.records[i * 10 + 9] = 3;
  }
  items.shape = undefined;
}
