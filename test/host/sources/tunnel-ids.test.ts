import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import { OwnIds } from '../../../host/sources/tunnel/own-ids.js';
import { Session } from '../../../host/sources/tunnel/session.js';

/** A number: a frame of that client, or one that is refused (which its client counts too); `upTo`: that share of the rest is delivered. */
type Step = { readonly client: number; readonly refused: boolean } | { readonly upTo: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ client: fc.nat(2), refused: fc.nat(9).map(n => n === 0) }) },
  { weight: 1, arbitrary: fc.record({ upTo: fc.double({ min: 0, max: 1, noNaN: true }) }) },
);

test('a frame that is not delivered has the id that its client gave it, however clients take turns', () => {
  const origin = new Origins('gw', 'start').make('route', 'plc', false);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(), (steps, seed) => {
      const sessions = [0, 1, 2].map(n => new Session(`client${n}`, 7, n * 1000));
      const ids = new OwnIds();
      const open = new Map<number, { session: Session; own: number }>();
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
            open.set(sequence, { session, own: session.taken });
          }
        }
      }
      // Asked for in any order, as several routes do.
      const frames = [...open].sort(([a], [b]) => ((a * 7919) ^ seed) - ((b * 7919) ^ seed));
      for (const [frame, { session, own }] of frames) {
        const id = new FrameId(origin);
        ids.name(frame, id);
        assert.equal(id.prefix.toString(), `gw/plc/${session.client}.7-`);
        assert.equal(id.sequence, own);
      }
      const id = new FrameId(origin);
      for (const none of [sequence - open.size, sequence + 1]) ids.name(none, id);
      assert.equal(id.sequence, 0);
    }),
  );
});
