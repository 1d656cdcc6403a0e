import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from '../../../host/sources/tunnel/session.js';
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
