import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME, FrameWriter, HEADER, Interned, Slab, Stamp } from '../../runtime/index.js';

const records = new Uint32Array(1024 * 10);

/** Reads a slab back by the layout of contract.ts alone. */
function readBack(slab: Slab, header: Int32Array): unknown[] {
  const word = (at: number): number => slab.u32[at >> 2] as number;
  const bytes = (at: number): Buffer => slab.u8.subarray(word(at), word(at) + word(at + 4));
  return Array.from({ length: header[HEADER.count] as number }, (_, index) => {
    const at = (header[HEADER.recordsAt] as number) + index * FRAME.size;
    const list = word(at + FRAME.properties);
    return {
      source: bytes(at + FRAME.source).toString(),
      topic: bytes(at + FRAME.topic).toString(),
      timestamp: (BigInt(word(at + FRAME.timestamp + 4)) << 32n) | BigInt(word(at + FRAME.timestamp)),
      payload: bytes(at + FRAME.payload).toString('hex'),
      properties: Array.from({ length: word(at + FRAME.properties + 4) }, (_unused, n) => [
        bytes(list + n * 16).toString(),
        bytes(list + n * 16 + 8).toString(),
      ]),
    };
  });
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });

test('what is packed into a slab reads back by the layout of the contract', () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      fc.array(fc.array(fc.tuple(text, text), { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      fc.array(
        fc.record({
          topic: fc.nat(3),
          list: fc.nat(2),
          ms: fc.integer({ min: 0, max: 4_000_000_000_000 }),
          micros: fc.nat(999),
          payload: fc.uint8Array({ maxLength: 200 }),
        }),
        { minLength: 1, maxLength: 50 },
      ),
      (topics, lists, frames) => {
        const slab = new Slab(new SharedArrayBuffer(1 << 18));
        const header = new Int32Array(HEADER.words);
        const writer = new FrameWriter(slab, records, slab.size / 2);
        const source = Interned.text('source');
        const known = topics.map(Interned.text);
        const properties = lists.map(list => (list.length === 0 ? undefined : Interned.properties(list)));
        // Mostly many frames lie in one read; some come by themselves.
        const read = Buffer.concat(frames.map(({ payload }) => payload));
        let end = 0;
        const wanted = frames.map(({ topic, list, ms, micros, payload }) => {
          const at = topic % topics.length;
          const which = list % lists.length;
          const fraction = ms + micros / 1000;
          const time = Stamp.ofMs(fraction);
          end += payload.length;
          const isAlone = micros % 4 === 0;
          const bytes = isAlone ? Buffer.concat([Buffer.from([1]), payload, Buffer.from([2])]) : read;
          const to = isAlone ? 1 + payload.length : end;
          assert.ok(writer.push(source, known[at]!, time, bytes, to - payload.length, to, properties[which]));
          return {
            source: 'source',
            topic: topics[at],
            timestamp: BigInt(ms) * 1_000_000n + BigInt(Math.round((fraction - ms) * 1000)) * 1000n,
            payload: Buffer.from(payload).toString('hex'),
            properties: lists[which],
          };
        });
        writer.finish(header, 0);
        assert.deepEqual(readBack(slab, header), wanted);
      },
    ),
    { numRuns: 200 },
  );
});

test('a frame that does not fit is not taken, and those before it stay whole', () => {
  const slab = new Slab(new SharedArrayBuffer(4096));
  const writer = new FrameWriter(slab, records, 2048);
  const header = new Int32Array(HEADER.words);
  const payload = Buffer.alloc(300, 7);
  const time = Stamp.ofMs(1);
  let taken = 0;
  while (writer.push(Interned.text('s'), Interned.text('t'), time, payload, 0, payload.length, undefined))
    taken++;
  writer.finish(header, 0);
  assert.ok(taken >= 4 && taken <= 6, `${taken}`);
  assert.ok((header[HEADER.inputEnd] as number) <= 2048);
  assert.equal(readBack(slab, header).length, taken);
});
