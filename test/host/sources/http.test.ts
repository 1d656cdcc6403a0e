import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { httpScene } from '../../support/sources/http-rig.js';

const LINES = { 'content-type': 'application/x-ndjson' };

test('a body is one frame, answered with 202 when it is delivered and not before', async t => {
  const { ingress, source, post } = await httpScene(t);
  let answered = false;
  const answer = post('{"__proto__":{"a":1}}', { 'content-type': 'application/json' });
  void answer.then(() => {
    answered = true;
  });
  await ingress.until(() => ingress.frames.length === 1);
  // Another request goes through meanwhile, so an answer would have come.
  await post('x', { prefer: 'respond-async' });
  assert.equal(answered, false);
  source.delivered(1);
  const { status, body, headers } = await answer;
  assert.deepEqual([status, body, headers['cache-control']], [202, '{"frames":1}', 'no-store']);
  const [frame] = ingress.frames;
  assert.deepEqual([frame?.topic, String(frame?.bytes)], ['plc', '{"__proto__":{"a":1}}']);
  assert.deepEqual(frame?.properties, [
    ['peer', '127.0.0.1'],
    ['content-type', 'application/json'],
  ]);
});

test('with Prefer: respond-async the answer comes as soon as the frames are taken, and says so', async t => {
  const { ingress, post } = await httpScene(t);
  const { status, headers } = await post('x', { prefer: 'wait=3, Respond-Async' });
  assert.deepEqual([status, headers['preference-applied'], ingress.frames.length], [202, 'respond-async', 1]);
});

test('each line of an NDJSON body that is not blank is a frame, and the answer waits for the last', async t => {
  const { ingress, source, post } = await httpScene(t);
  const answer = post('{"a":1}\r\n\n  {"a":2} \n{"a":3}', LINES);
  await ingress.until(() => ingress.frames.length === 3);
  source.delivered(2);
  source.delivered(3);
  assert.equal((await answer).body, '{"frames":3}');
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['{"a":1}', '{"a":2}', '{"a":3}'],
  );
});

test('a gzip body is unpacked, one of several members too', async t => {
  const { ingress, post } = await httpScene(t);
  const body = Buffer.concat([gzipSync('{"a":1}\n'), gzipSync('{"a":2}\n')]);
  await post(body, { ...LINES, 'content-encoding': 'gzip', prefer: 'respond-async' });
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['{"a":1}', '{"a":2}'],
  );
});

test('what stands behind the source in the path goes into the topic', async t => {
  const { ingress, post } = await httpScene(t);
  await post('x', { prefer: 'respond-async' }, '/ingest/plc/halle%203/%C3%B6l/?a=b');
  assert.equal(ingress.frames[0]?.topic, 'plc/halle 3/öl');
});

test('requests that find no room wait, in their order, and are taken once there is', async t => {
  const { ingress, source, post } = await httpScene(t);
  ingress.places = 1;
  const first = post('1\n2\n3', { ...LINES, prefer: 'respond-async' });
  await ingress.until(() => ingress.refused === 1);
  const second = post('4', { prefer: 'respond-async' });
  ingress.places = 2;
  source.resume();
  assert.equal((await first).body, '{"frames":3}');
  ingress.places = 9;
  source.resume();
  await second;
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['1', '2', '3', '4'],
  );
});

test('a request with the token is taken, and the token opens nothing else', async t => {
  const { ingress, post } = await httpScene(t, { token: 'k3J9_xQ7mB2vN8pR' });
  const right = { authorization: 'Bearer k3J9_xQ7mB2vN8pR', prefer: 'respond-async' };
  assert.equal((await post('x', right)).status, 202);
  const none = await post('x');
  assert.deepEqual([none.status, none.headers['www-authenticate']], [401, 'Bearer realm="sluice ingest"']);
  assert.equal((await post('x', { authorization: 'Bearer k3J9_xQ7mB2vN8pX' })).status, 401);
  assert.equal((await post('x', {}, '/ingest/other')).status, 401, 'paths cannot be guessed at');
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_TOKEN'), 3);
  assert.doesNotMatch(ingress.faultsOf('SLUICE_SOURCE_TOKEN').join(), /k3J9/);
});

test('a request of which a route sends a frame back is answered with 503; what was answered already has to be kept', async t => {
  const { ingress, source, post } = await httpScene(t);
  const [first, second] = [post('a\nb\nc', LINES), post('d')];
  await ingress.until(() => ingress.frames.length === 4);
  await post('x', { prefer: 'respond-async' });
  const byLines = ingress.frames.findIndex(({ bytes }) => String(bytes) === 'b') + 1;
  assert.deepEqual(
    [source.sendBack(byLines, 'SLUICE_BREAKER_OPEN'), source.sendBack(5, 'SLUICE_BREAKER_OPEN')],
    [true, false],
  );
  source.delivered(5);
  const { status, body, headers } = await first;
  assert.deepEqual([status, headers['retry-after']], [503, '1']);
  assert.match(body, /SLUICE_BREAKER_OPEN/);
  assert.equal((await second).status, 202);
});
