import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TEXT } from '../../../host/protocols/mqtt-wire/text.js';
import { TopicHead } from '../../../host/protocols/mqtt-wire/topic-head.js';

const PREFIX = Buffer.from('out/');
const slab = Buffer.alloc(1024);
const out = Buffer.alloc(1024);
const slabView = new DataView(slab.buffer, slab.byteOffset, slab.length);
const outView = new DataView(out.buffer, out.byteOffset, out.length);

/** Puts the topic at a place of the slab, and gives what is written of it. */
function written(head: TopicHead, topic: string, at: number, view: DataView | undefined): string {
  const end = at + slab.write(topic, at);
  assert.equal(head.look(slab, view, at, end), TEXT.ok);
  out.fill(0xee);
  const behind = head.write(slab, at, end, out, view && outView, 1);
  assert.equal(behind, 1 + head.length);
  assert.deepEqual([out[0], out[behind]], [0xee, 0xee]);
  assert.equal(out.readUInt16BE(1), behind - 3);
  return out.toString('utf8', 3, behind);
}

test('each topic is written as it is, whatever stood before at its place, and where one like it did', () => {
  const topic = fc.constantFrom(
    'a',
    'b',
    'aaaa',
    'aaab',
    'baaa',
    'floor/1/3/0-11',
    'floor/2/3/0-11',
    'x'.repeat(600),
  );
  const step = fc.record({ topic, at: fc.constantFrom(0, 7), isViewed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const head = new TopicHead(PREFIX);
      for (const { topic, at, isViewed } of steps)
        assert.equal(written(head, topic, at, isViewed ? slabView : undefined), `out/${topic}`);
    }),
  );
});

test('a topic that is none is found where a good one of its length stood, and the good one is written again', () => {
  const head = new TopicHead(PREFIX);
  for (let i = 0; i < 3; i++) assert.equal(written(head, 'a/b', 5, slabView), 'out/a/b');
  const end = 5 + slab.write('a/#', 5);
  assert.equal(head.look(slab, slabView, 5, end), TEXT.wildcard);
  assert.equal(written(head, 'a/b', 5, slabView), 'out/a/b');
});
