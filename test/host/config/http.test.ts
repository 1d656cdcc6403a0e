import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf } from './support.js';

const TOKEN = 'token: k3J9_xQ7mB2vN8pR';

test('limits of connections are refused for a source on the admin server, which has its own', async () => {
  const lines = await problemsOf(
    `sources: { plc: { http: { ${TOKEN}, connections: 5, connectionsPerPeer: 2 } } }\n`,
  );
  const text = lines.join('\n');
  assert.match(text, /connections.*goes with `port`.*admin server/);
  assert.match(text, /connectionsPerPeer.*goes with `port`.*admin server/);
  assert.deepEqual(
    await problemsOf(
      `sources: { plc: { http: { port: 0, ${TOKEN}, connections: 5, connectionsPerPeer: 2 } } }\n`,
    ),
    [],
  );
});
