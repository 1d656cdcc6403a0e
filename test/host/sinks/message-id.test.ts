import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';

function textOf(id: FrameId): string {
  const out = Buffer.alloc(id.length + 2, 0x2e);
  const end = id.write(out, 1);
  assert.equal(end, id.length + 1, 'as long as it says');
  assert.deepEqual([out[0], out.at(-1)], [0x2e, 0x2e], 'nothing is written beside it');
  return out.toString('utf8', 1, end);
}

test('an id is gateway, source, start and sequence, and the place in the frame from the second message on', () => {
  const origin = new Origins('plant-1a2b', '7').make('r', 'line1', false);
  const number = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
  fc.assert(
    fc.property(number, fc.oneof(fc.constant(0), fc.nat()), (sequence, part) => {
      const id = new FrameId(origin);
      id.sequence = sequence;
      id.part = part;
      const more = part === 0 ? '' : `-${part}`;
      assert.equal(textOf(id), `plant-1a2b/line1/7-${sequence}${more}`);
    }),
  );
});

test('ids of two routes that read one source, and of what a flush gives out, name the route', () => {
  const origins = new Origins('g', '1');
  const ids = [
    origins.make('first', 'line1', false),
    origins.make('second', 'line1', true),
    origins.make('first', '', false),
  ].map(origin => textOf(Object.assign(new FrameId(origin), { sequence: 5 })));
  assert.deepEqual(ids, ['g/line1/1-5', 'g/line1@second/1-5', 'g/@first/1-5']);
});
