import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeData, encodeHello } from '../../../host/protocols/tunnel/encode.js';
import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import { TunnelClient } from '../../../host/tunnel-client/tunnel-client.js';
import { TunnelPeer } from '../../support/devices/tunnel-peer.js';
import { tunnelScene } from '../../support/sources/tunnel-rig.js';

test('a frame has the topic and time of the client, and says who sent it from where', async t => {
  const { ingress, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port);
  peer.socket.write(
    Buffer.concat([
      encodeData(1, { payload: Buffer.from('a'), topic: 'halle/öl', timestampMs: 1764112345678 }),
      encodeData(2, { payload: Buffer.from('b') }),
    ]),
  );
  await ingress.until(() => ingress.frames.length === 2);
  const [first, second] = ingress.frames;
  assert.deepEqual(
    [first?.topic, first?.timestampMs, String(first?.bytes)],
    ['halle/öl', 1764112345678, 'a'],
  );
  assert.deepEqual([second?.topic, String(second?.bytes)], ['plc/press-4', 'b']);
  assert.ok(Math.abs((second?.timestampMs ?? 0) - Date.now()) < 10_000);
  assert.deepEqual(second?.properties, [
    ['peer', '127.0.0.1'],
    ['client', 'press-4'],
  ]);
});

test('a frame is acknowledged when it is delivered and not before, each client in its own sequence', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const one = await TunnelPeer.welcomed(port, 'one');
  const two = await TunnelPeer.welcomed(port, 'two', 3, 101);
  one.data(1, 2);
  await ingress.until(() => ingress.frames.length === 2);
  two.data(101);
  await ingress.until(() => ingress.frames.length === 3);
  one.ping(5);
  await one.hears(/pong 5/);
  assert.deepEqual(one.told, ['welcome 0', 'pong 5']);
  source.delivered(1);
  await one.hears(/ack 1/);
  source.delivered(3);
  await Promise.all([one.hears(/ack 2/), two.hears(/ack 101/)]);
});

test('a client that comes back is told what was taken, and what it sends again is left out', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const before = await TunnelPeer.welcomed(port);
  before.data(1, 2, 3);
  await ingress.until(() => ingress.frames.length === 3);
  before.socket.destroy();
  source.delivered(1);
  const after = await TunnelPeer.connect(port);
  after.hello({ first: 1 });
  // It does not wait for the welcome.
  after.data(1, 2, 3, 4);
  await after.hears(/welcome 3/);
  await ingress.until(() => ingress.frames.length === 4);
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['1', '2', '3', '4'],
  );
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_REPEATED'), 3);
  source.delivered(4);
  await after.hears(/ack 4/);
});

test('a client that was started again counts from 1 again under another session', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const before = await TunnelPeer.welcomed(port, 'press-4', 9);
  before.data(1, 2);
  await ingress.until(() => ingress.frames.length === 2);
  const after = await TunnelPeer.welcomed(port, 'press-4', 10);
  assert.deepEqual(after.told, ['welcome 0']);
  after.data(1);
  await ingress.until(() => ingress.frames.length === 3);
  source.delivered(2);
  source.delivered(3);
  // What was numbered before is not told to who numbers anew.
  await after.hears(/ack/);
  assert.deepEqual(after.told, ['welcome 0', 'ack 1']);
});

test('a server that knows nothing of a client begins with the oldest frame that the client has', async t => {
  const { ingress, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port, 'press-4', 9, 41);
  assert.deepEqual(peer.told, ['welcome 40']);
  peer.data(41);
  await ingress.until(() => ingress.frames.length === 1);
});

test('frames that a client gave up before they were taken are counted as lost', async t => {
  const { ingress, port } = await tunnelScene(t);
  const before = await TunnelPeer.welcomed(port);
  before.data(1);
  await ingress.until(() => ingress.frames.length === 1);
  const after = await TunnelPeer.welcomed(port, 'press-4', 9, 5);
  assert.deepEqual(after.told, ['welcome 4']);
  assert.equal(ingress.skipsOf('SLUICE_SOURCE_GAP'), 3);
  assert.match(ingress.faultsOf('SLUICE_SOURCE_GAP')[0] ?? '', /press-4 \(127\.0\.0\.1\) gave up 3 frames/);
});

test('the older connection of a client ends when it connects again', async t => {
  const { ingress, port } = await tunnelScene(t);
  const before = await TunnelPeer.welcomed(port);
  await TunnelPeer.welcomed(port);
  await before.hears(/close 4 connected again from/);
  await before.isClosed();
  assert.equal(ingress.faultsOf('SLUICE_SOURCE_REPLACED').length, 1);
});

test('without room nothing is read; with room again every frame comes once, in order', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  ingress.places = 2;
  const peer = await TunnelPeer.welcomed(port);
  peer.data(1, 2, 3, 4, 5);
  await ingress.until(() => ingress.refused === 1);
  ingress.places = 1;
  source.resume();
  await ingress.until(() => ingress.refused === 2);
  ingress.places = 10;
  source.resume();
  await ingress.until(() => ingress.frames.length === 5);
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => String(bytes)),
    ['1', '2', '3', '4', '5'],
  );
});

test('what waits for room stays what it was while others send, which read into the same memory', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  ingress.places = 1;
  const waits = await TunnelPeer.welcomed(port, 'waits');
  // The second waits, the third lies behind it, and of the fourth the end has not come.
  const fourth = encodeData(4, { payload: Buffer.from('4') });
  const whole = [1, 2, 3].map(n => encodeData(n, { payload: Buffer.from(`${n}`) }));
  waits.socket.write(Buffer.concat([...whole, fourth.subarray(0, 11)]));
  await ingress.until(() => ingress.refused === 1);
  const other = await TunnelPeer.welcomed(port, 'other');
  other.socket.write(
    Buffer.concat([1, 2, 3, 4, 5, 6].map(n => encodeData(n, { payload: Buffer.from(`other ${n}`) }))),
  );
  await ingress.until(() => ingress.refused === 2);
  ingress.places = 100;
  source.resume();
  waits.socket.write(fourth.subarray(11));
  await ingress.until(() => ingress.frames.length === 10);
  const of = (client: string): string[] =>
    ingress.frames.filter(({ topic }) => topic === `plc/${client}`).map(({ bytes }) => String(bytes));
  assert.deepEqual(of('waits'), ['1', '2', '3', '4']);
  assert.deepEqual(
    of('other'),
    [1, 2, 3, 4, 5, 6].map(n => `other ${n}`),
  );
});

test('a client that sends its frames with HELLO is welcomed though none is delivered, and in this order', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const hello = encodeHello({ client: 'press-4', session: 9, first: 1, token: '' });
  const first = encodeData(1, { payload: Buffer.from('1') });
  const peer = await TunnelPeer.connect(port);
  peer.socket.write(Buffer.concat([hello, first]));
  await peer.hears(/welcome 0/);
  assert.deepEqual([ingress.frames.length, peer.told.length], [1, 1]);
  source.delivered(1);
  await peer.hears(/ack 1/);

  // The end of the turn that brings a frame delivers it: one write tells both.
  const push = ingress.push.bind(ingress);
  ingress.push = (...frame) => {
    const sequence = push(...frame);
    setImmediate(() => source.delivered(sequence));
    return sequence;
  };
  const fast = await TunnelPeer.connect(port);
  const sizes: number[] = [];
  fast.socket.on('data', chunk => sizes.push(chunk.length));
  fast.socket.write(
    Buffer.concat([encodeHello({ client: 'press-5', session: 9, first: 1, token: '' }), first]),
  );
  await fast.hears(/ack 1/);
  assert.deepEqual(fast.told, ['welcome 0', 'ack 1']);
  assert.deepEqual(sizes, [40 + 28]);
});

test('a frame whose topic is none is left out, counted, and acknowledged in its turn', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port);
  peer.data(1);
  peer.socket.write(encodeData(2, { payload: Buffer.alloc(0), topic: 'a/+' }));
  await ingress.until(() => ingress.skipsOf('SLUICE_SOURCE_MESSAGE') === 1);
  peer.data(3);
  await ingress.until(() => ingress.frames.length === 2);
  source.delivered(1);
  await peer.hears(/ack 2/);
  assert.match(
    ingress.faultsOf('SLUICE_SOURCE_MESSAGE')[0] ?? '',
    /frame 2 of press-4 .* left out: its topic/,
  );
});

test('message ids carry the client, its session and its own sequence', async t => {
  const { ingress, source, port } = await tunnelScene(t);
  const peer = await TunnelPeer.welcomed(port, 'press-4', 35, 700);
  peer.data(700, 701);
  await ingress.until(() => ingress.frames.length === 2);
  const origin = new Origins('plant', '7').make('r', 'plc', false);
  const id = new FrameId(origin);
  id.stand(origin, 2);
  source.names.name(2, id);
  const out = Buffer.alloc(id.length);
  id.write(out, 0);
  assert.equal(String(out), 'plant/plc/press-4.z-701');
});

test('the client in TypeScript gets every frame through, whatever is cut', async t => {
  const { ingress, source, port } = await tunnelScene(t, { window: 16 });
  const client = new TunnelClient({ host: '127.0.0.1', port, client: 'press-4', retryMs: 5 });
  t.after(() => client.close());
  for (let n = 1; n <= 200; n++) client.send({ payload: Buffer.from(`${n}`) });
  for (let seen = 0; seen < 200; ) {
    await ingress.until(() => ingress.frames.length > seen);
    seen = ingress.frames.length;
    source.delivered(seen);
    if (seen % 5 === 0) client.cut();
  }
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => Number(String(bytes))),
    Array.from({ length: 200 }, (_, n) => n + 1),
  );
});
