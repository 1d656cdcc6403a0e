import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { encodeBare, encodeClose, encodeData, encodeHello } from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { REASON, TYPE } from '../../../host/protocols/tunnel/wire.js';
import { type Clock, systemClock } from '../../../host/sources/modbus/clock.js';
import { RateLimit } from '../../../host/sources/serve/rate-limit.js';
import { Sessions } from '../../../host/sources/tunnel/sessions.js';
import { tunnelSettings } from '../../../host/sources/tunnel/tunnel-config.js';
import { TunnelConnection } from '../../../host/sources/tunnel/tunnel-connection.js';
import type { TunnelHost } from '../../../host/sources/tunnel/tunnel-host.js';
import { TunnelClient } from '../../../host/tunnel-client/tunnel-client.js';
import { TunnelPeer } from '../../support/devices/tunnel-peer.js';
import { tempFolder } from '../../support/gateway/gateway-rig.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';
import { tunnelScene } from '../../support/sources/tunnel-rig.js';

/** No rate gives more than its second's worth at once, however long the test takes. */
function stoppedClock(): Clock {
  const { wall, steady } = systemClock();
  const at = steady();
  return { wall, steady: () => at };
}

test('what is no tunnel is turned away at its first byte, and said', async t => {
  const { ingress, port } = await tunnelScene(t);
  const peer = await TunnelPeer.connect(port);
  peer.socket.write('GET / HTTP/1.1\r\n');
  await peer.hears(/close 2 broke the protocol: byte 0x47/);
  await peer.isClosed();
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0] ?? '',
    /127\.0\.0\.1 broke the protocol.*connection closed/,
  );
});

test('a client has to say who it is before anything else, and in time', async t => {
  const { ingress, port } = await tunnelScene(t, { helloMs: 40 });
  const eager = await TunnelPeer.connect(port);
  eager.data(1);
  await eager.hears(/close 2 began with a frame of type 3/);
  const silent = await TunnelPeer.connect(port);
  await silent.hears(/close 6 did not say who it is within 40 ms/);
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length === 1);
});

test('a peer that has not said who it is may send 512 bytes in a frame, not one more', async t => {
  const { ingress, port } = await tunnelScene(t);
  const peer = await TunnelPeer.connect(port);
  peer.socket.write(encodeData(1, { payload: Buffer.alloc(485) }));
  await peer.hears(/close 7/);
  await ingress.until(() => ingress.faultsOf('SLUICE_FRAME_TOO_LARGE').length === 1);
});

test('of many connections each reads less at once, as what finds no room is held for each of them', async t => {
  const { port } = await tunnelScene(t);
  const feed = t.mock.method(FrameReader.prototype, 'feed');
  const peers: TunnelPeer[] = [];
  for (let n = 0; n < 65; n++) peers.push(await TunnelPeer.welcomed(port, `press-${n}`));
  // Those of the peers themselves are fed what came, and no length of it.
  const reads = feed.mock.calls.flatMap(({ arguments: [bytes, length] }) =>
    length === undefined ? [] : [bytes.length],
  );
  assert.deepEqual([reads.at(0), reads.at(63), reads.at(64)], [262_144, 262_144, 65_536]);
  for (const peer of peers) peer.socket.destroy();
});

test('a wrong token is refused and said without the token', async t => {
  const { ingress, port } = await tunnelScene(t, { token: 'k3J9_xQ7mB2vN8pR' });
  const wrong = await TunnelPeer.connect(port);
  wrong.hello({ token: 'k3J9_xQ7mB2vN8pX' });
  await wrong.hears(/close 3/);
  assert.doesNotMatch(ingress.faultsOf('SLUICE_SOURCE_TOKEN').join(), /k3J9/);
  const right = await TunnelPeer.connect(port);
  right.hello({ token: 'k3J9_xQ7mB2vN8pR' });
  await right.hears(/welcome/);
});

test('a damaged frame ends the connection, and nothing of it is taken', async t => {
  const { ingress, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port);
  const bad = encodeData(2, { payload: Buffer.from('x') });
  bad[24]! ^= 1;
  peer.socket.write(Buffer.concat([encodeData(1, { payload: Buffer.from('1') }), bad]));
  await peer.hears(/close 2/);
  assert.equal(ingress.frames.length, 1);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_CHECKSUM').length, 1);
  const again = await TunnelPeer.welcomed(port);
  assert.deepEqual(again.told, ['welcome 1']);
});

test('a sequence that leaves a gap ends the connection, and so does one beyond the window', async t => {
  const { ingress, port } = await tunnelScene(t, { window: 2 });
  const gap = await TunnelPeer.welcomed(port);
  gap.data(1, 3);
  await gap.hears(/close 8 sent frame 3 where 2 comes next/);
  const greedy = await TunnelPeer.welcomed(port, 'greedy');
  greedy.data(1, 2, 3);
  await greedy.hears(/close 2 sent more than the 2 frames/);
  assert.equal(ingress.frames.length, 3);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_GAP').length, 1);
});

test('frames that only a server sends end the connection', async t => {
  const { port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port);
  peer.socket.write(encodeBare(TYPE.ack, 1));
  await peer.hears(/close 2 sent a frame of type 4/);
});

test('half a frame may not last for ever, and a client that is silent is cut off', async t => {
  const { ingress, port } = await tunnelScene(t, { frameMs: 40, keepAliveMs: 60_000 });
  const slow = await TunnelPeer.welcomed(port);
  slow.socket.write(encodeData(1, { payload: Buffer.alloc(10) }).subarray(0, 20));
  await slow.hears(/close 6 sent 20 bytes of a frame and not the rest within 40 ms/);
  const other = await tunnelScene(t, { keepAliveMs: 40 });
  const silent = await TunnelPeer.welcomed(other.port);
  await silent.hears(/close 6 was silent/);
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT').length, 1);
  assert.equal(other.ingress.faultsOf('SLUICE_SOURCE_IDLE').length, 1);
});

test('connections beyond the ceiling, in all or of one address, are told so', async t => {
  const { ingress, port } = await tunnelScene(t, { connections: 3, connectionsPerPeer: 2 });
  const first = await TunnelPeer.welcomed(port, 'a');
  await TunnelPeer.welcomed(port, 'b');
  const third = await TunnelPeer.connect(port);
  await third.hears(/close 5 2 connections of this address are open/);
  await third.isClosed();
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_CONNECTIONS').length, 1);
  first.socket.end();
  await first.isClosed();
  await TunnelPeer.welcomed(port, 'c');
});

test('a client that is faster than its rate is read later, and loses nothing', async t => {
  const { ingress, port } = await tunnelScene(t, { rate: 50 }, stoppedClock());
  const peer = await TunnelPeer.welcomed(port);
  peer.data(...Array.from({ length: 53 }, (_, n) => n + 1));
  await ingress.until(() => ingress.frames.length === 53);
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_RATE') >= 1);
  assert.equal(String(ingress.frames[52]?.bytes), '53');
});

test('all clients together have a rate too, and each has its turn', async t => {
  const { ingress, port } = await tunnelScene(t, { totalRate: 50 }, stoppedClock());
  const peers = await Promise.all(['a', 'b'].map(name => TunnelPeer.welcomed(port, name)));
  for (const peer of peers) peer.data(...Array.from({ length: 27 }, (_, n) => n + 1));
  const begin = performance.now();
  await ingress.until(() => ingress.frames.length === 54);
  assert.ok(performance.now() - begin >= 60, '50 at once, and the rest at 20 ms each');
  assert.ok(ingress.skipsOf('SLUICE_SOURCE_RATE') >= 2);
});

test('a client that comes again and again while its frame waits does not use up the rate of the others', async t => {
  const { ingress, port } = await tunnelScene(t, { totalRate: 20 });
  const first = await TunnelPeer.welcomed(port, 'a');
  first.data(...Array.from({ length: 20 }, (_, n) => n + 1));
  await ingress.until(() => ingress.frames.length === 20);
  const begin = performance.now();
  for (let n = 0; n < 200; n++) {
    const before = ingress.skipsOf('SLUICE_SOURCE_RATE');
    const again = await TunnelPeer.welcomed(port, 'a');
    again.data(21);
    await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_RATE') > before || ingress.frames.length > 20);
    if (ingress.frames.length > 20) break;
  }
  const other = await TunnelPeer.welcomed(port, 'b');
  other.data(1);
  await ingress.until(() => ingress.frames.filter(({ bytes }) => String(bytes) === '1').length === 2);
  assert.ok(
    performance.now() - begin < 6_000,
    `${performance.now() - begin} ms, where 201 in a queue take 10,050`,
  );
});

test('what has not come whole may use so much memory over all connections', async t => {
  const { ingress, port } = await tunnelScene(t, { memory: 70_000 });
  const half = encodeData(1, { payload: Buffer.alloc(100_000) }).subarray(0, 50_000);
  const first = await TunnelPeer.welcomed(port, 'a');
  first.socket.write(half);
  first.ping(1);
  const second = await TunnelPeer.welcomed(port, 'b');
  second.socket.write(half);
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_MEMORY').length === 1);
});

test('a source that stops takes nothing more, acknowledges what is delivered still, and says goodbye', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port);
  peer.data(1);
  await ingress.until(() => ingress.frames.length === 1);
  await source.stop();
  source.delivered(1);
  await peer.hears(/ack 1/);
  await source.close();
  await peer.hears(/close 1 the gateway stops/);
  await peer.isClosed();
  assert.deepEqual(ingress.faults, []);
});

test('over TLS frames arrive, and a renewed certificate serves new connections while old ones go on', async t => {
  const folder = await tempFolder(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const put = async ({ cert, key }: { cert: string; key: string }): Promise<void> => {
    await writeFile(tls.key, key);
    await writeFile(tls.cert, cert);
  };
  const old = selfSigned();
  await put(old);
  const { ingress, port } = await tunnelScene(t, { tls, lookMs: 5 });
  const client = (name: string, ca: string): TunnelClient => {
    const made = new TunnelClient({
      host: '127.0.0.1',
      port,
      client: name,
      retryMs: 5,
      tls: { ca, servername: 'localhost' },
    });
    t.after(() => made.close());
    return made;
  };
  const first = client('first', old.cert);
  first.send({ payload: Buffer.from('a') });
  await ingress.until(() => ingress.frames.length === 1);
  await writeFile(tls.cert, 'in the middle of being changed');
  await ingress.until(() => ingress.faultsOf('SLUICE_TLS_CERTIFICATE').length > 0);
  const renewed = selfSigned();
  await put(renewed);
  // The source says that it listens, and then that it has another certificate.
  await ingress.until(() => ingress.peers.length === 2);
  client('second', renewed.cert).send({ payload: Buffer.from('b') });
  await ingress.until(() => ingress.frames.length === 2);
  first.send({ payload: Buffer.from('c') });
  await ingress.until(() => ingress.frames.length === 3);
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['a', 'b', 'c'],
  );
  assert.match(ingress.faultsOf('SLUICE_TLS_CERTIFICATE')[0] ?? '', /the one before serves on/);
});

test('who does not get through the TLS handshake is counted', async t => {
  const folder = await tempFolder(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const { cert, key } = selfSigned();
  await writeFile(tls.key, key);
  await writeFile(tls.cert, cert);
  const { ingress, port } = await tunnelScene(t, { tls });
  const peer = await TunnelPeer.connect(port);
  peer.hello();
  await peer.isClosed();
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_TLS').length === 1);
});

test('a handshake that ends when the source is stopped leaves no connection behind', async t => {
  const folder = await tempFolder(t);
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const { cert, key } = selfSigned();
  await writeFile(tls.key, key);
  await writeFile(tls.cert, cert);
  const { ingress, source, port } = await tunnelScene(t, { tls });
  const late = connect({ host: '127.0.0.1', port });
  t.after(() => late.destroy());
  await once(late, 'connect');
  // Whoever comes behind it and is dealt with shows that it was taken.
  (await TunnelPeer.connect(port)).hello();
  await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_TLS').length === 1);
  await source.stop();
  await source.close();
  const secure = connectTls({ socket: late, ca: cert, servername: 'localhost' });
  secure.on('error', () => {});
  await new Promise(resolve => secure.once('close', resolve));
});

test('who says goodbye and then keeps the connection open is not kept', async t => {
  const system = systemClock();
  let ahead = 0;
  const { port } = await tunnelScene(
    t,
    { connections: 1, helloMs: 40 },
    { wall: system.wall, steady: () => system.steady() + ahead },
  );
  const stays = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  t.after(() => stays.destroy());
  await once(stays, 'connect');
  stays.write(
    Buffer.concat([
      encodeHello({ client: 'press-4', session: 9, first: 1, token: '' }),
      encodeClose({ reason: REASON.goodbye, text: '' }),
    ]),
  );
  stays.resume();
  await once(stays, 'end');
  ahead = 1_000;
  for (let welcome = false; !welcome; ) {
    const next = await TunnelPeer.connect(port);
    next.hello({ client: 'press-5' });
    await next.until('an answer', () => next.told.length > 0);
    welcome = next.told[0]!.startsWith('welcome');
  }
});

/** A connection whose peer takes nothing. */
function deaf(
  t: TestContext,
  host: Partial<TunnelHost> = {},
): { socket: Socket; connection: TunnelConnection } {
  class Deaf extends Socket {
    override _write(): void {}
    override _writev(): void {}
  }
  const sessions = new Sessions(1);
  const socket = new Deaf();
  t.after(() => socket.destroy());
  const connection = new TunnelConnection(
    {
      settings: tunnelSettings({ host: '127.0.0.1', port: 0 }),
      rate: new RateLimit(Number.POSITIVE_INFINITY),
      reads: () => undefined,
      steady: () => 0,
      wall: () => 0,
      attach: ({ client, session: id, first }) => sessions.attach(client, id, first).session,
      push: () => true,
      blocked: () => {},
      greetSoon: () => {},
      holds: () => true,
      skipped: () => {},
      failed: () => {},
      closed: () => {},
      ...host,
    },
    socket,
    '127.0.0.1',
  );
  return { socket, connection };
}

test('last words are waited for, but not for ever', t => {
  const { socket, connection } = deaf(t);
  socket.emit('data', Buffer.from('GET / HTTP/1.1\r\n'));
  connection.look(499);
  assert.equal(socket.destroyed, false);
  connection.look(500);
  assert.equal(socket.destroyed, true);
});

test('who does not take what it is told is cut off at once when it breaks the protocol', t => {
  const { socket, connection } = deaf(t);
  socket.emit('data', encodeHello({ client: 'press-4', session: 9, first: 1, token: '' }));
  const ping = encodeBare(TYPE.ping, 1);
  socket.emit('data', Buffer.concat(Array.from({ length: socket.writableHighWaterMark / 16 }, () => ping)));
  assert.equal(socket.writableNeedDrain, true);
  connection.close('SLUICE_SOURCE_IDLE', 'was silent', REASON.silent);
  assert.equal(socket.destroyed, true);
});

test('a client is not called silent for the time that its frame waited for room, as nothing of it was read', t => {
  let now = 0;
  let isFull = true;
  const faults: string[] = [];
  const { socket, connection } = deaf(t, {
    settings: tunnelSettings({ host: '127.0.0.1', port: 0, keepAliveMs: 40 }),
    steady: () => now,
    push: () => !isFull,
    failed: code => faults.push(code),
  });
  socket.emit('data', encodeHello({ client: 'press-4', session: 9, first: 1, token: '' }));
  socket.emit('data', encodeData(1, { payload: Buffer.from('1') }));
  now = 1_000;
  connection.look(now);
  isFull = false;
  connection.resume();
  connection.look(now);
  connection.look(now + 99);
  assert.deepEqual(faults, []);
  connection.look(now + 100);
  assert.deepEqual(faults, ['SLUICE_SOURCE_IDLE']);
});
