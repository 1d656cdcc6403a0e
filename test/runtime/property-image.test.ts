import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME, FrameWriter, HEADER, Interned, PropertyImage, Slab, Stamp } from '../../runtime/index.js';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });
const frame = fc.record({
  topic: text,
  list: fc.array(fc.tuple(text, text), { maxLength: 12 }),
  padding: fc.nat(7),
});

test('one string and one list that change with every frame read back as each frame had them', () => {
  const records = new Uint32Array(1024 * 10);
  const topic = Interned.text('');
  const properties = Interned.properties([]);
  const image = new PropertyImage();
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1, maxLength: 30 }), frames => {
      const slab = new Slab(new SharedArrayBuffer(1 << 19));
      const header = new Int32Array(HEADER.words);
      const writer = new FrameWriter(slab, records, slab.size / 2);
      for (const { topic: name, list, padding } of frames) {
        const bytes = Buffer.concat([Buffer.alloc(padding), Buffer.from(name)]);
        topic.assign(bytes, padding, bytes.length, 0);
        image.begin();
        for (const [key, value] of list) {
          const both = Buffer.from(key + value);
          const middle = Buffer.byteLength(key);
          image.add(both, 0, middle, both, middle, both.length);
        }
        image.end();
        properties.assign(image.bytes, 0, image.length, image.count);
        assert.ok(writer.push(Interned.text('s'), topic, Stamp.ofMs(1), bytes, 0, padding, properties));
      }
      writer.finish(header, 0);
      const word = (at: number): number => slab.u32[at >> 2] as number;
      const read = (at: number): string => slab.u8.subarray(word(at), word(at) + word(at + 4)).toString();
      for (const [index, { topic: name, list }] of frames.entries()) {
        const at = (header[HEADER.recordsAt] as number) + index * FRAME.size;
        assert.equal(read(at + FRAME.topic), name);
        const first = word(at + FRAME.properties);
        const count = word(at + FRAME.properties + 4);
        const found = Array.from({ length: count }, (_, n) => [
          read(first + n * 16),
          read(first + n * 16 + 8),
        ]);
        assert.deepEqual(found, list);
      }
    }),
    { numRuns: 200 },
  );
});
