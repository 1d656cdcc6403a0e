import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startGateway } from '../support/gateway/gateway-rig.js';
import { freePort } from '../support/mqtt/mqtt-rig.js';
import { send } from '../support/sources/http-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';

test('a gateway refuses what comes beyond the `rate` of its source, with a counter, and says when a source is stale and when it is not', async t => {
  const port = await freePort();
  const rig = await startGateway(
    t,
    {
      sources: { hooks: { http: { port, token: TOKEN, rate: 5 }, staleAfter: '300ms' } },
      routes: [{ from: 'hooks', through: ['echo'] }],
    },
    ['echo'],
  );
  const post = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': '1' };
    return (await send(port, { path: '/ingest/hooks', method: 'POST', headers }, 'x')).status;
  };
  const statuses = await Promise.all(Array.from({ length: 20 }, post));
  assert.ok(statuses.includes(202) && statuses.includes(429), `${statuses}`);
  const refused = statuses.filter(status => status === 429).length;
  assert.equal(
    await rig.metric('sluice_polls_skipped_total', { source: 'hooks', code: 'SLUICE_SOURCE_RATE' }),
    refused,
  );
  const line = await rig.book.line('SLUICE_SOURCE_STALE', { source: 'hooks' });
  assert.match(line.msg, /hooks has brought no data for \d+(\.\d)? s, and 0\.3 s are the most/);
  while ((await post()) !== 202) await setTimeout(50);
  await rig.book.said(/^hooks brings data again$/);
});
