import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PublishEncoder } from '../../../host/protocols/mqtt-wire/publish.js';
import { PublishView } from '../../../host/protocols/mqtt-wire/publish-view.js';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import { RecordView, RecordWriter } from '../../../host/spool/record.js';
import { CHUNK } from '../../../host/store/spool-file.js';
import type { MessageView } from '../../../sandbox/index.js';
import { type TestMessage, viewOf } from '../../support/mqtt/mqtt-view.js';

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map(s => s.replace(/[\p{C}+#]/gu, '.'));
const message = fc.record({
  topic: text.map(s => `t${s}`),
  payload: fc.uint8Array({ maxLength: 300 }),
  contentType: text,
  qos: fc.integer({ min: 0, max: 1 }),
  retain: fc.boolean(),
  properties: fc.array(fc.tuple(text, text), { maxLength: 5 }),
});
const id = fc.record({ sequence: fc.nat(), part: fc.nat({ max: 20 }) });
const origin = new Origins('gateway', '3').make('route', 'line1', false);

function idOf(fields: { sequence: number; part: number }): FrameId {
  return Object.assign(new FrameId(origin), fields);
}

/** Everything that a view shows; properties are asked for in an order of its own. */
function shown(view: MessageView) {
  const part = (start: number, end: number) => view.bytes.toString('latin1', start, end);
  const properties: [string, string][] = [];
  for (let i = view.propertyCount - 1; i >= 0; i--) {
    view.property(i);
    properties.unshift([part(view.keyStart, view.keyEnd), part(view.valueStart, view.valueEnd)]);
  }
  return {
    topic: part(view.topicStart, view.topicEnd),
    payload: part(view.payloadStart, view.payloadEnd),
    contentType: part(view.contentTypeStart, view.contentTypeEnd),
    qos: view.qos,
    retain: view.retain,
    time: [view.timestampLow, view.timestampHigh],
    properties,
  };
}

function written(id: { length: number; write(out: Buffer, at: number): number }): string {
  const out = Buffer.alloc(id.length);
  assert.equal(id.write(out, 0), id.length);
  return out.toString();
}

test('a record gives back the message and the id that were put down', () => {
  const writer = new RecordWriter();
  const view = new RecordView();
  fc.assert(
    fc.property(message, id, fc.nat(), fc.nat(), (sent: TestMessage, number, low, high) => {
      const source = Object.assign(viewOf(sent), { timestampLow: low, timestampHigh: high });
      writer.measure(source, idOf(number));
      const out = Buffer.alloc(writer.size + 2, 0xee);
      writer.write(source, idOf(number), 7, 9, 5.5, 0, out, 1);
      assert.deepEqual([out[0], out.at(-1)], [0xee, 0xee], 'nothing is written beside it');
      assert.deepEqual([out.readUInt32LE(1 + CHUNK.queue), out.readDoubleLE(1 + CHUNK.place)], [7, 9]);
      view.load(out, 1 + CHUNK.header, 1 + writer.size);
      assert.deepEqual(shown(view), shown(source));
      assert.equal(written(view), written(idOf(number)));
    }),
  );
});

test('a packet that waits gives back the message that it was made of, without prefix, id and mark', () => {
  const prefix = Buffer.from('plant/');
  fc.assert(
    fc.property(message, id, fc.boolean(), (sent: TestMessage, number, late) => {
      const source = Object.assign(viewOf(sent), { timestampLow: 5, timestampHigh: 6 });
      const encoder = new PublishEncoder(5, prefix);
      const name = idOf(number);
      const own = { length: name.length, write: (out: Buffer, at: number) => name.write(out, at), late };
      encoder.measure(source, sent.qos ?? 0, own);
      const out = Buffer.alloc(encoder.size + 3);
      encoder.write(source, out, 3, sent.qos === 1 ? 77 : 0, own);
      const time = { low: 5, high: 6 };
      assert.deepEqual(shown(new PublishView(out, 3, encoder.size, 5, prefix.length, time)), shown(source));
    }),
  );
});

test('of a packet for 3.1.1 there is no content type and no property', () => {
  const source = viewOf({ topic: 'a', payload: 'x', qos: 1, contentType: 'c', properties: [['k', 'v']] });
  const encoder = new PublishEncoder(4, Buffer.alloc(0));
  encoder.measure(source, 1);
  const out = Buffer.alloc(encoder.size);
  encoder.write(source, out, 0, 1);
  const view = new PublishView(out, 0, out.length, 4, 0, { low: 0, high: 0 });
  assert.deepEqual(shown(view), { ...shown(source), contentType: '', properties: [] });
});
