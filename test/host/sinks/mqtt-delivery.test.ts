import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOW, numbered, numberedId, writeAll } from '../../support/mqtt/mqtt-recorder.js';
import { withServer } from '../../support/mqtt/mqtt-rig.js';
import { viewOf } from '../../support/mqtt/mqtt-view.js';

test('content type, properties and behind them the id reach a broker of 5.0', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    const properties = [
      ['id', 'g/s/1'],
      ['id', 'two'],
      ['unit', '°C'],
    ] as const;
    await writeAll(sink, seen, numbered(1, { contentType: 'application/json', properties, retain: true }));
    await seen.settled(1);
    const [packet] = server.published;
    assert.equal(packet?.properties?.contentType, 'application/json');
    assert.deepEqual(
      { ...packet?.properties?.userProperties },
      {
        id: ['g/s/1', 'two'],
        unit: '°C',
        'sluice-id': 'gateway/source/1-1',
      },
    );
    assert.equal(packet?.retain, true);
    assert.equal(sink.version, 5);
  }));

test('a message goes out with the lower of its own QoS and the cap, and QoS 2 becomes 1', () =>
  withServer({}, { qos: 1 }, async ({ server, sink, seen }) => {
    await writeAll(
      sink,
      seen,
      [0, 1, 2].map(qos => ({ topic: 't', qos })),
    );
    await server.until(() => server.published.length === 3);
    assert.deepEqual(
      server.published.map(packet => packet.qos),
      [0, 1, 1],
    );
  }));

test('with a cap of 0 nothing waits for a PUBACK', () =>
  withServer({ puback: () => 'none' }, { qos: 0 }, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(10));
    await seen.settled(10);
    await server.until(() => server.published.length === 10);
    assert.deepEqual(new Set(server.published.map(packet => packet.qos)), new Set([0]));
  }));

test('messages of one turn leave in one write', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(1));
    await seen.settled(1);
    let chunks = 0;
    for (const { socket } of server.connections) socket.on('data', () => chunks++);
    await writeAll(sink, seen, numbered(500), 500);
    await seen.settled(501);
    assert.ok(chunks <= 3, `${chunks} chunks`);
  }));

test('with the session present, what was not confirmed comes again with DUP and its identifier', () =>
  withServer({ sessions: true, puback: () => 'none' }, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(20));
    await server.until(() => server.published.length === 20);
    const first = server.published.splice(0).map(packet => packet.messageId);
    server.behaviour.puback = () => 0;
    server.cut();
    await seen.settled(20);
    assert.equal(seen.confirmed, 20);
    assert.equal(seen.again, 20);
    assert.deepEqual(
      server.published.map(packet => packet.messageId),
      first,
    );
    assert.ok(server.published.every(packet => packet.dup));
    assert.deepEqual(
      server.connects.map(packet => packet.clean),
      [true, false],
    );
  }));

test('without a session, what was not confirmed is published anew, without DUP', () =>
  withServer({ puback: () => 'none' }, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(20));
    await server.until(() => server.published.length === 20);
    server.published.length = 0;
    server.behaviour.puback = () => 0;
    server.cut();
    await seen.settled(20);
    assert.equal(seen.again, 20);
    assert.deepEqual(
      server.payloads,
      numbered(20).map(message => message.payload),
    );
    assert.ok(server.published.every(packet => !packet.dup));
  }));

test('a DUP of one session is taken back when the next has forgotten it', () =>
  withServer({ sessions: true, puback: () => 'none' }, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(3));
    await server.until(() => server.published.length === 3);
    server.cut();
    // The first goes alone until it is confirmed.
    await server.until(() => server.published.length === 4);
    server.behaviour.sessions = false;
    server.behaviour.puback = () => 0;
    server.cut();
    await seen.settled(3);
    assert.deepEqual(
      server.published.map(packet => packet.dup),
      [false, false, false, true, false, false, false],
    );
  }));

test('connections cut again and again cost no message at QoS 1, and keep the order', () =>
  withServer({ sessions: true }, { window: { messages: 100 } }, async ({ server, sink, seen }) => {
    const messages = numbered(3_000, { payload: undefined as never }).map((message, i) => ({
      ...message,
      payload: `${i}`,
    }));
    server.behaviour.onPublish = (_packet, { socket }) => {
      if (server.published.length % 397 === 0) socket.destroy();
    };
    await writeAll(sink, seen, messages, 10);
    await seen.settled(messages.length);
    assert.equal(seen.confirmed, messages.length);
    assert.ok(server.connects.length > 5);
    assert.deepEqual(
      [...new Set(server.payloads)],
      messages.map(message => message.payload),
    );
  }));

test('what waits at QoS 0 goes out once the broker is there', () =>
  withServer({ mute: true }, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(50, { qos: 0 }));
    await server.until(() => server.connects.length === 1);
    assert.equal(sink.state().inFlight, 50);
    server.behaviour.mute = false;
    server.cut();
    await server.until(() => server.published.length === 50);
    await seen.settled(50);
    assert.deepEqual(
      server.payloads,
      numbered(50).map(message => message.payload),
    );
  }));

test('never more are on their way than Receive Maximum allows', () =>
  withServer({ properties: { receiveMaximum: 2 } }, {}, async ({ server, sink, seen }) => {
    // Answered a turn later, so that a sink that does not count would be seen.
    server.behaviour.puback = () => 'none';
    let open = 0;
    let most = 0;
    server.behaviour.onPublish = ({ messageId }, connection) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        connection.send({ cmd: 'puback', messageId: messageId!, reasonCode: 0 });
      });
    };
    await writeAll(sink, seen, numbered(200));
    await seen.settled(200);
    assert.equal(most, 2);
    assert.deepEqual(
      server.payloads,
      numbered(200).map(message => message.payload),
    );
  }));

test('a message that the broker refuses is dropped with its reason, the others are confirmed', () =>
  withServer(
    { puback: packet => (packet.payload.toString() === '3' ? 0x87 : 0) },
    {},
    async ({ sink, seen }) => {
      await writeAll(sink, seen, numbered(10));
      await seen.settled(10);
      assert.deepEqual(seen.codes, ['SLUICE_SINK_REFUSED']);
      assert.equal(seen.confirmed, 9);
      assert.match(seen.faults[0]!.message, /"t\/n": not authorized \(0x87\)/);
    },
  ));

test('a reason that the specification does not know is a refusal from 0x80 on, and is shown as it is', () =>
  withServer({ puback: () => 0xfe }, {}, async ({ sink, seen }) => {
    await writeAll(sink, seen, numbered(2));
    await seen.settled(2);
    assert.deepEqual(seen.codes, ['SLUICE_SINK_REFUSED', 'SLUICE_SINK_REFUSED']);
    assert.match(seen.faults[0]!.message, /unknown reason code \(0xfe\)/);
    assert.equal(sink.state().state, 'connected');
  }));

test('success with a remark (no matching subscribers) is success', () =>
  withServer({ puback: () => 0x10 }, {}, async ({ sink, seen }) => {
    await writeAll(sink, seen, numbered(5));
    await seen.settled(5);
    assert.equal(seen.confirmed, 5);
  }));

test('stop() waits for confirmations, says DISCONNECT and ends', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(300));
    await sink.stop(new AbortController().signal);
    assert.equal(seen.confirmed, 300);
    assert.equal(sink.state().state, 'stopped');
    await server.until(() => server.disconnects === 1);
    assert.equal(sink.write(viewOf({ topic: 't' }), seen, numberedId(1)), false);
  }));

test('stop() lets what was taken at QoS 0 leave before it closes', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(5_000, { qos: 0 }));
    await sink.stop(new AbortController().signal);
    await server.until(() => server.connections.size === 0);
    assert.equal(seen.confirmed, 5_000);
    assert.equal(server.published.length, 5_000);
  }));

test('what is not confirmed when the time is up is dropped with SLUICE_SINK_ABANDONED', () =>
  withServer({ puback: () => 'none' }, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(7));
    await server.until(() => server.published.length === 7);
    const time = new AbortController();
    const stopped = sink.stop(time.signal);
    assert.equal(seen.lost, 0);
    time.abort();
    await stopped;
    assert.deepEqual(new Set(seen.codes), new Set(['SLUICE_SINK_ABANDONED']));
    assert.equal(seen.lost, 7);
    assert.equal(sink.state().inFlight, 0);
  }));

test('stop() while the broker is away does not wait beyond the signal', () =>
  withServer({ connack: 0x88 }, {}, async ({ sink, seen }) => {
    await writeAll(sink, seen, numbered(3));
    await seen.faulted('SLUICE_SINK_REFUSED');
    await sink.stop(NOW);
    assert.deepEqual(seen.codes, Array(3).fill('SLUICE_SINK_ABANDONED'));
  }));
