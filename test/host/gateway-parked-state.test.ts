import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Aedes } from 'aedes';
import { Waiting } from '../support/devices/gateway-peers.js';
import { type GatewayRig, mqtt, startGateway } from '../support/gateway/gateway-rig.js';
import { send } from '../support/sources/http-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';
const FRAMES = 400;
const CONFIRMED = 100;

/** A broker that confirms the first messages, and then no more. */
async function hesitantBroker(t: TestContext): Promise<{ port: number; full: Promise<void> }> {
  const heard = new Waiting();
  let count = 0;
  const aedes = await Aedes.createBroker();
  aedes.authorizePublish = (_client, packet, done) => {
    if (packet.topic.startsWith('out/')) count++;
    heard.changed();
    if (count <= CONFIRMED) done(null);
  };
  const server = createServer({ noDelay: true }, socket => aedes.handle(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    return new Promise<void>(resolve => aedes.close(() => resolve()));
  });
  const full = heard.until('more than it confirms', () => count > CONFIRMED);
  return { port: (server.address() as AddressInfo).port, full };
}

async function post({ gateway }: GatewayRig, count: number): Promise<number> {
  const body = `"${'x'.repeat(2000)}"\n`.repeat(count);
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/x-ndjson',
    'content-length': `${body.length}`,
  };
  const asked = { path: '/ingest/hooks', method: 'POST', headers };
  return (await send(gateway.adminPort as number, asked, body)).status;
}

test('a frame that is counted in the state that is kept does not come back from the disk, though others that were read with it do', async t => {
  const { port, full } = await hesitantBroker(t);
  const rig = await startGateway(t, {
    plugins: { snapshotEvery: 1 },
    sources: { hooks: { http: { token: TOKEN } } },
    sinks: { plant: { ...mqtt(port, { prefix: 'out/', window: { messages: 20 } }), spool: false } },
    routes: [{ name: 'count', from: 'hooks', through: ['tally'] }],
  });
  for (let sent = 0; sent < FRAMES; sent += 100) assert.equal(await post(rig, 100), 202);
  await rig.drop('tally');
  await full;
  await rig.gateway.stop(0);
  const data = join(dirname(rig.plugins), 'data');
  using states = new DatabaseSync(join(data, 'states.db'));
  const { bytes } = states.prepare("SELECT bytes FROM state WHERE route = 'count'").get() as {
    bytes: Uint8Array;
  };
  const counted = Number(Buffer.from(bytes).readBigUInt64LE(0));
  using spool = new DatabaseSync(join(data, 'spool.db'));
  const { first, left } = spool
    .prepare('SELECT min(place) AS first, count(*) AS left FROM message')
    .get() as {
    first: number;
    left: number;
  };

  assert.ok(counted > 0);
  assert.equal(left, FRAMES - first + 1);
  assert.ok(first > counted, `${counted} are counted, and ${first} comes again`);
});
