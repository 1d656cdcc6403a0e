import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../../host/sources/serve/memory.js';
import { httpScene, send } from '../../support/sources/http-rig.js';

const CEILINGS = { memory: 1_000, connections: 8, connectionsPerPeer: 2 };

test('an address has as large a share of the memory as of the connections, and one thing that is as large as allowed', () => {
  const memory = new Memory(CEILINGS, 100);
  assert.deepEqual(
    [memory.holds(250, 'a'), memory.holds(1, 'a'), memory.holds(-1, 'a')],
    [true, false, true],
  );
  for (const peer of ['b', 'c', 'd']) assert.ok(memory.holds(250, peer));
  assert.equal(memory.holds(1, 'e'), false);
  const large = new Memory(CEILINGS, 600);
  assert.deepEqual([large.holds(600, 'a'), large.holds(1, 'a')], [true, false]);
  const alone = new Memory({ ...CEILINGS, connectionsPerPeer: 9 }, 100);
  assert.deepEqual([alone.holds(1_000, 'a'), alone.holds(1, 'a')], [true, false]);
});

test('addresses that come and go leave nothing that counts, however many they are', () => {
  const memory = new Memory(CEILINGS, 100);
  assert.ok(memory.holds(200, 'stays'));
  for (let n = 0; n < 5_000; n++) {
    assert.ok(memory.holds(250, `${n % 3_000}`));
    assert.ok(memory.holds(-250, `${n % 3_000}`));
  }
  assert.deepEqual([memory.holds(50, 'stays'), memory.holds(1, 'stays')], [true, false]);
});

test('an address that has its share of bodies in hand leaves room for those of others', async t => {
  const limits = { memory: 200_000, maxBody: 60_000, connections: 4, connectionsPerPeer: 2 };
  const { ingress, source, port } = await httpScene(t, limits);
  ingress.places = 0;
  const post = (localAddress: string) => {
    const headers = { 'content-length': '60000', prefer: 'respond-async' };
    const options = { path: '/ingest/plc', method: 'POST', headers, localAddress };
    return send(port, options, 'x'.repeat(60_000));
  };
  const first = post('127.0.0.1');
  await ingress.until(() => ingress.refused === 1);
  const second = await post('127.0.0.1');
  assert.equal(second.status, 503);
  assert.match(second.body, /SLUICE_SOURCE_MEMORY/);
  const other = post('127.0.0.2');
  await new Promise(setImmediate);
  ingress.places = 9;
  source.resume();
  assert.deepEqual([(await first).status, (await other).status], [202, 202]);
});
