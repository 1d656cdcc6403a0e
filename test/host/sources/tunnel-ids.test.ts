import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import { OwnIds } from '../../../host/sources/tunnel/own-ids.js';
import { Session } from '../../../host/sources/tunnel/session.js';

/** A frame of that client, or one that is refused (which its client counts too); `upTo`: that share of the rest is delivered. */
type Step =
  | { readonly client: number; readonly refused: boolean; readonly traced: boolean }
  | { readonly upTo: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      client: fc.nat(2),
      refused: fc.nat(9).map(n => n === 0),
      traced: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ upTo: fc.double({ min: 0, max: 1, noNaN: true }) }) },
);

/** Its trace id tells the frame. */
function contextOf(sequence: number): Buffer {
  const bytes = Buffer.alloc(25, 1);
  bytes.writeUInt32BE(sequence, 12);
  return bytes;
}

test('a frame that is not delivered has the id and the trace that its client gave it, however clients take turns', () => {
  const origin = new Origins('gw', 'start').make('route', 'plc', false);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(), (steps, seed) => {
      const sessions = [0, 1, 2].map(n => new Session(`client${n}`, 7, n * 1000));
      const ids = new OwnIds();
      const open = new Map<number, { session: Session; own: number; trace: string | undefined }>();
      let sequence = 0;
      for (const each of steps) {
        if ('upTo' in each) {
          const upTo = sequence - open.size + Math.floor(open.size * each.upTo);
          const told = new Set<Session>();
          ids.delivered(upTo, session => told.add(session));
          const gone = [...open].filter(([frame]) => frame <= upTo);
          assert.deepEqual(told, new Set(gone.map(([, { session }]) => session)));
          for (const [frame] of gone) open.delete(frame);
        } else {
          const session = sessions[each.client]!;
          if (each.refused) session.take(0);
          else {
            session.take(++sequence);
            ids.add(sequence, session);
            const context = contextOf(sequence);
            // As it comes: among other bytes.
            if (each.traced) ids.traced(Buffer.concat([Buffer.alloc(3), context]), 3);
            const trace = each.traced ? context.toString('hex', 0, 16) : undefined;
            open.set(sequence, { session, own: session.taken, trace });
          }
        }
      }
      // Asked for in any order, as several routes do.
      const frames = [...open].sort(([a], [b]) => ((a * 7919) ^ seed) - ((b * 7919) ^ seed));
      for (const [frame, { session, own, trace }] of frames) {
        const id = new FrameId(origin);
        ids.name(frame, id);
        assert.equal(id.prefix.toString(), `gw/plc/${session.client}.7-`);
        assert.equal(id.sequence, own);
        assert.equal(ids.trace(frame), trace);
      }
      const id = new FrameId(origin);
      for (const none of [sequence - open.size, sequence + 1]) {
        ids.name(none, id);
        assert.equal(ids.trace(none), undefined);
      }
      assert.equal(id.sequence, 0);
    }),
  );
});

test('a trace context whose trace id or parent id is all zeros is none', () => {
  const session = new Session('client', 7, 0);
  const ids = new OwnIds();
  const contexts = [contextOf(1).fill(0, 0, 16), contextOf(2).fill(0, 16, 24), contextOf(3).fill(0, 24)];
  for (const [index, context] of contexts.entries()) {
    session.take(index + 1);
    ids.add(index + 1, session);
    ids.traced(context, 0);
  }
  assert.deepEqual(
    [1, 2, 3].map(sequence => ids.trace(sequence)),
    [undefined, undefined, contextOf(3).toString('hex', 0, 16)],
  );
});
