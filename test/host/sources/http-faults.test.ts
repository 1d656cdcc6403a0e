import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';
import { type Answer, httpScene, raw } from '../../support/sources/http-rig.js';

/** It has read what it was told, and goes. */
function closeWhenAnswered(socket: Socket): void {
  socket.once('data', () => socket.destroy());
}

function codeOf({ body }: Answer): string {
  return JSON.parse(body).code;
}

test('a body that is too large is refused by its length, by its bytes, and by what it unpacks to', async t => {
  const { ingress, post } = await httpScene(t, { maxBody: 10_000 });
  const large = await post('x'.repeat(10_001));
  assert.deepEqual([large.status, codeOf(large)], [413, 'SLUICE_FRAME_TOO_LARGE']);
  // 50 MB of zeros in 50 kB would be 5 times too large packed; 5 MB are not.
  const bomb = await post(gzipSync(Buffer.alloc(5_000_000)), { 'content-encoding': 'gzip' });
  assert.deepEqual([bomb.status, codeOf(bomb)], [413, 'SLUICE_FRAME_TOO_LARGE']);
  assert.equal(ingress.frames.length, 0);
  assert.equal(ingress.skipsOf('SLUICE_FRAME_TOO_LARGE'), 2);
});

test('what is no gzip, or is cut short, is refused', async t => {
  const { post } = await httpScene(t);
  const packed = gzipSync('hello, hello, hello');
  for (const body of ['nothing packed', packed.subarray(0, packed.length - 5)]) {
    const answer = await post(body, { 'content-encoding': 'gzip' });
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'SLUICE_SOURCE_REQUEST']);
    assert.match(answer.body, /the body is no gzip/);
  }
});

test('headers are held against the policy, and a coding of two layers is not undone', async t => {
  const { ingress, post } = await httpScene(t);
  const brotli = await post('x', { 'content-encoding': 'br' });
  assert.deepEqual([brotli.status, codeOf(brotli)], [400, 'SLUICE_HEADER_REQUEST']);
  const chunked = await post('x', { 'transfer-encoding': 'chunked', 'content-length': '' });
  assert.equal(chunked.status, 400);
  const twice = await post('x', { 'content-encoding': 'gzip, gzip' });
  assert.deepEqual([twice.status, twice.headers['accept-encoding']], [415, 'gzip, identity']);
  assert.ok(ingress.skipsOf('SLUICE_HEADER_REQUEST') >= 1);
});

test('other methods and paths are refused with what would be right', async t => {
  const { post } = await httpScene(t);
  const method = await post('', {}, '/ingest/plc', 'PUT');
  assert.deepEqual([method.status, method.headers.allow], [405, 'POST']);
  assert.equal((await post('x', {}, '/ingest/plcx')).status, 404);
  assert.equal((await post('x', {}, '/ingest/plc/%ff')).status, 400);
  assert.equal((await post('x', {}, '/ingest/plc/a%2Bb')).status, 400);
});

test('an NDJSON body without a line is refused', async t => {
  const { post } = await httpScene(t);
  const answer = await post(' \r\n\n', { 'content-type': 'application/x-ndjson' });
  assert.deepEqual([answer.status, codeOf(answer)], [400, 'SLUICE_SOURCE_REQUEST']);
});

test('a web page cannot send to a source without a token', async t => {
  const { ingress, post } = await httpScene(t);
  assert.equal((await post('x', { origin: 'http://evil.example' })).status, 403);
  assert.equal(ingress.frames.length, 0);
});

test('a request that is not confirmed in time, or finds no room, is told to come again', async t => {
  const { ingress, post } = await httpScene(t, { timeoutMs: 300 });
  const late = await post('x');
  assert.deepEqual(
    [late.status, codeOf(late), late.headers['retry-after']],
    [503, 'SLUICE_SOURCE_UNCONFIRMED', '1'],
  );
  ingress.places = 0;
  const full = await post('x');
  assert.deepEqual([full.status, codeOf(full)], [503, 'SLUICE_SOURCE_BACKPRESSURE']);
});

test('an address that is faster than its rate is told to come again', async t => {
  const { ingress, post } = await httpScene(t, { rate: 2 });
  const statuses = [];
  // A machine that is slow may let more through before one comes too early.
  while (statuses.at(-1) !== 429 && statuses.length < 1000)
    statuses.push((await post('x', { prefer: 'respond-async' })).status);
  assert.deepEqual(statuses.slice(0, 2), [202, 202]);
  assert.equal(statuses.at(-1), 429);
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_RATE') >= 1);
});

test('bodies in hand may use so much memory in all, and give it back', async t => {
  const { ingress, source, post } = await httpScene(t, { memory: 70_000 });
  ingress.places = 0;
  const first = post('x'.repeat(50_000), { prefer: 'respond-async' });
  await ingress.until(() => ingress.refused === 1);
  const second = await post('y'.repeat(50_000));
  assert.deepEqual([second.status, codeOf(second)], [503, 'SLUICE_SOURCE_MEMORY']);
  ingress.places = 9;
  source.resume();
  assert.equal((await first).status, 202);
  assert.equal((await post('z'.repeat(50_000), { prefer: 'respond-async' })).status, 202);
});

test('what is no HTTP, and a chunk that lies about its length, end the connection and are counted', async t => {
  const { ingress, port } = await httpScene(t);
  const answer = await raw(port, '\x01\x02\x03\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 .*\r\ncontent-type: application\/problem\+json\r\n/s);
  const problem = JSON.parse(answer.split('\r\n\r\n')[1]!);
  assert.match(`${problem.code} ${problem.detail}`, /^SLUICE_SOURCE_PROTOCOL it is not HTTP: /);
  const head = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\n';
  assert.match(
    await raw(port, `${head}content-length: 3\r\ncontent-length: 5\r\n\r\nabc`),
    /^HTTP\/1\.1 400/,
  );
  assert.match(await raw(port, `${head}x: ${'y'.repeat(9_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL').length, 3);
  assert.equal(ingress.frames.length, 0);
});

test('a request without the token is refused before anything of its body is waited for', async t => {
  const { ingress, port } = await httpScene(t, { token: 'k3J9_xQ7mB2vN8pR', timeoutMs: 60_000 });
  const head = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\n';
  for (const body of ['content-length: 900000', 'transfer-encoding: chunked'])
    assert.match(await raw(port, `${head}${body}\r\n\r\n`, closeWhenAnswered), /^HTTP\/1\.1 401/, body);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_TOKEN'), 2);
});

test('a sender that does not come to an end of its request is cut off', async t => {
  const { ingress, port } = await httpScene(t, { timeoutMs: 100 });
  assert.match(await raw(port, 'POST /ingest/plc HTTP/1.1\r\nhost: '), /^HTTP\/1\.1 408/);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length, 1);
});

test('who connects over TLS and does not come to an end of its handshake is cut off, and counted', async t => {
  const folder = await tempFolder(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const { cert, key } = selfSigned();
  await writeFile(tls.key, key);
  await writeFile(tls.cert, cert);
  const listen = { host: '127.0.0.1', port: 0, tls };
  const { ingress, port } = await httpScene(t, { listen, timeoutMs: 100 });
  assert.equal(await raw(port, ''), '');
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_TLS').length === 1);
});

test('a sender that goes away in the middle of a body leaves no frame', async t => {
  const { ingress, port } = await httpScene(t);
  const head = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc';
  await raw(port, head, socket => setImmediate(() => socket.end()));
  await ingress.until(() => ingress.faults.length > 0);
  assert.equal(ingress.frames.length, 0);
});

test('a gzip body that came whole, and whose sender left before it was unpacked, gives its memory back', async t => {
  const { ingress, post, port } = await httpScene(t, { memory: 1_000_000 });
  // Bytes that do not shrink keep the unpacker's door shut, zeros keep it busy.
  const packed = gzipSync(Buffer.concat([randomBytes(100_000), Buffer.alloc(800_000)]));
  const head = `POST /ingest/plc HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`;
  await raw(port, head, socket => socket.write(packed, () => setImmediate(() => socket.destroy())));
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length === 1);
  assert.equal((await post('x'.repeat(900_000), { prefer: 'respond-async' })).status, 202);
});

test('connections beyond the ceiling of an address are turned away', async t => {
  const { ingress, port } = await httpScene(t, { connectionsPerPeer: 1 });
  const open = raw(port, 'POST ', socket => {
    void ingress.until(() => ingress.faults.length === 1).then(() => socket.destroy());
  });
  assert.equal(await raw(port, 'POST '), '');
  await open;
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS').length, 1);
});

test('a frame keeps its topic, peer and type while it comes and while it waits for room, whatever others send', async t => {
  const { ingress, source, port, post } = await httpScene(t);
  ingress.places = 0;
  const mine = { 'content-type': 'text/mine', prefer: 'respond-async' };
  const waits = post('mine', mine, '/ingest/plc/mine');
  await ingress.until(() => ingress.refused === 1);
  const comes = connect({ host: '127.0.0.1', port });
  t.after(() => comes.destroy());
  comes.write('POST /ingest/plc/mine HTTP/1.1\r\nhost: x\r\ncontent-type: text/mine\r\n');
  comes.write('prefer: respond-async\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n');
  await once(comes, 'data');
  // So many that each name that the source remembers is somebody else's.
  const others = Array.from({ length: 2_500 }, (_, n) => {
    const head = `POST /ingest/plc/${n} HTTP/1.1\r\nhost: x\r\ncontent-type: text/${n}\r\n`;
    return `${head}content-length: 1\r\n\r\nx`;
  });
  const crowd = connect({ host: '127.0.0.1', port });
  t.after(() => crowd.destroy());
  crowd.write(`${others.join('')}GET /ingest/plc HTTP/1.1\r\nhost: x\r\n\r\n`);
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_REQUEST') === 1);
  ingress.places = Number.POSITIVE_INFINITY;
  comes.write('mine');
  source.resume();
  await waits;
  await ingress.until(() => ingress.frames.length === 2_502);
  const sent = ingress.frames.filter(({ bytes }) => String(bytes) === 'mine');
  assert.deepEqual(
    sent.map(({ topic, properties }) => [topic, properties[1]?.[1]]),
    [
      ['plc/mine', 'text/mine'],
      ['plc/mine', 'text/mine'],
    ],
  );
});

test('a connection that the system cannot give is counted, and the source goes on', async t => {
  const { ingress, post } = await httpScene(t);
  const servers = new Set<Server>();
  const see = (message: unknown): void => void servers.add((message as { server: Server }).server);
  const requests = channel('http.server.request.start');
  requests.subscribe(see);
  await post('x', { prefer: 'respond-async' });
  requests.unsubscribe(see);
  // What Node does when accept(2) fails.
  for (const server of servers) server.emit('error', new Error('accept EMFILE'));
  assert.match(ingress.faultsOf('SLUICE_LISTEN_FAILED')[0] ?? '', /could not be taken: accept EMFILE/);
  assert.equal((await post('x', { prefer: 'respond-async' })).status, 202);
});

test('a peer that is told that it was too slow, and never hangs up, does not keep its connection', async t => {
  const { ingress, port } = await httpScene(t, { connectionsPerPeer: 1, timeoutMs: 50 });
  const peer = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  t.after(() => peer.destroy());
  peer.on('error', () => {}).resume();
  peer.write('POST ');
  await once(peer, 'end');
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length, 1);
  // There is room for one: until it has made way the next ones are turned away.
  const giveUp = performance.now() + 30_000;
  let next = '';
  while (next === '' && performance.now() < giveUp)
    next = await raw(port, 'no HTTP either\r\n\r\n', socket => socket.end());
  assert.match(next, /^HTTP\/1\.1 400/);
});

test('a request whose body ends after the source was stopped is told to come again, and is no frame', async t => {
  const { ingress, source, port } = await httpScene(t);
  const comes = connect({ host: '127.0.0.1', port });
  t.after(() => comes.destroy());
  const head = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n';
  comes.write(`${head}prefer: respond-async\r\nexpect: 100-continue\r\n\r\n`);
  await once(comes, 'data');
  await source.stop();
  comes.write('late');
  const [answer] = await once(comes, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 503 .*"SLUICE_SOURCE_BACKPRESSURE"/s);
  assert.deepEqual([ingress.frames.length, ingress.skipsOf('SLUICE_SOURCE_BACKPRESSURE')], [0, 1]);
});

test('requests that wait for their answer use memory too, however small they are', async t => {
  const { ingress, source, port } = await httpScene(t, { memory: 10 * 4_200 });
  const peer = connect({ host: '127.0.0.1', port });
  t.after(() => peer.destroy());
  peer.resume();
  const tiny = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx';
  peer.write(tiny.repeat(12));
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_MEMORY') + ingress.frames.length === 12);
  assert.deepEqual([ingress.frames.length, ingress.skipsOf('SLUICE_SOURCE_MEMORY')], [10, 2]);
  source.delivered(10);
  peer.write(tiny.repeat(10));
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_MEMORY') + ingress.frames.length === 22);
  assert.equal(ingress.frames.length, 20);
});
