import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Line, Session } from '../../../host/sources/tunnel/session.js';
import { Sessions } from '../../../host/sources/tunnel/sessions.js';

const LINE: Line = { peer: '10.0.0.1', acknowledge: () => {}, close: () => {} };

test('where there are too many sessions, one whose client is connected is never forgotten', () => {
  const sessions = new Sessions(2);
  const { session } = sessions.attach('connected', 1, 1);
  session.line = LINE;
  sessions.attach('gone', 1, 1).session.take(7);
  sessions.attach('third', 1, 1).session.line = LINE;
  assert.equal(sessions.size, 2);
  assert.equal(sessions.attach('connected', 1, 1).session, session);
  // All are connected: none makes room.
  sessions.attach('fourth', 1, 1);
  assert.equal(sessions.attach('connected', 1, 1).session, session);
});

test('a client that begins anew is told of its new session, and no more of the one before', () => {
  const sessions = new Sessions(2);
  const { session: before } = sessions.attach('press-4', 1, 1);
  before.line = LINE;
  const { session: after } = sessions.attach('press-4', 2, 1);
  assert.notEqual(after, before);
  assert.deepEqual([before.line, after.line], [undefined, LINE]);
});

test('which client came last is kept through every order of coming: the one that is forgotten came longest ago', () => {
  const coming = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(coming, { maxLength: 60 }), comings => {
      const sessions = new Sessions(4);
      /** The one that came longest ago first. */
      let known: Session[] = [];
      let run = 1;
      for (const [number, anew] of comings) {
        const client = `press-${number}`;
        if (anew) run += 1;
        const before = known.find(each => each.client === client);
        const { session } = sessions.attach(client, run, 1);
        if (before?.id === run) assert.equal(session, before);
        known = [...known.filter(each => each.client !== client), session].slice(-4);
        assert.equal(sessions.size, known.length);
      }
      for (const each of known) assert.equal(sessions.attach(each.client, each.id, 1).session, each);
    }),
  );
});
