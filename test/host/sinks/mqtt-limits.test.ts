import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbered, numberedId, writeAll } from '../../support/mqtt/mqtt-recorder.js';
import { withServer } from '../../support/mqtt/mqtt-rig.js';
import { TestView, viewOf } from '../../support/mqtt/mqtt-view.js';

test('a window that is full by messages takes no more, and says when it does again', () =>
  withServer({ puback: () => 'none' }, { window: { messages: 4 } }, async ({ server, sink, seen }) => {
    const view = viewOf({ topic: 't', qos: 1 });
    for (let i = 0; i < 4; i++) assert.equal(sink.write(view, seen, numberedId(1)), true);
    assert.equal(sink.write(view, seen, numberedId(1)), false);
    sink.flush();
    await server.until(() => server.published.length === 4);
    const room = new Promise<void>(resolve => {
      sink.onRoom = resolve;
    });
    const [connection] = server.connections;
    connection!.send({ cmd: 'puback', messageId: server.published[0]!.messageId!, reasonCode: 0 });
    await room;
    assert.equal(sink.write(view, seen, numberedId(1)), true);
  }));

test('a window that is full by bytes takes no more, and everything gets through in the end', () =>
  withServer({}, { window: { bytes: 4_096 } }, async ({ server, sink, seen }) => {
    const view = new TestView(numbered(100, { payload: 'x'.repeat(200) }));
    let taken = 0;
    while (taken < 100 && sink.write(view.at(taken), seen, numberedId(1))) taken += 1;
    assert.ok(taken >= 10 && taken <= 20, `${taken} of about 215 bytes in 4,096`);
    await writeAll(sink, seen, numbered(100, { payload: 'y'.repeat(200) }));
    await seen.settled(taken + 100);
    assert.equal(server.published.length, taken + 100);
  }));

test('a message larger than the window is dropped with SLUICE_SINK_TOO_LARGE, one that just fits is sent', () =>
  withServer({}, { window: { bytes: 4_096 } }, async ({ server, sink, seen }) => {
    // 5.0: 1 + 2 (remaining length) + 2 + 1 (topic) + 2 (identifier) + 1 (property length) = 9 bytes of frame,
    // and 5 + 9 + 18 for the property with the id, gateway/source/1-1 and -2.
    await writeAll(
      sink,
      seen,
      [4_056, 4_055].map(size => ({ topic: 't', qos: 1, payload: Buffer.alloc(size) })),
    );
    await seen.settled(2);
    assert.deepEqual(seen.codes, ['SLUICE_SINK_TOO_LARGE']);
    assert.equal(server.published[0]?.payload.length, 4_055);
  }));

test('a message above Maximum Packet Size is dropped, also one that was taken before it was known', () =>
  withServer({ properties: { maximumPacketSize: 100 } }, {}, async ({ server, sink, seen }) => {
    const messages = ['a', 'x'.repeat(200), 'b'].map(payload => ({ topic: 't', qos: 1, payload }));
    await writeAll(sink, seen, messages);
    await seen.settled(3);
    await writeAll(sink, seen, messages);
    await seen.settled(6);
    assert.deepEqual(seen.codes, ['SLUICE_SINK_TOO_LARGE', 'SLUICE_SINK_TOO_LARGE']);
    assert.deepEqual(server.payloads, ['a', 'b', 'a', 'b']);
  }));

test('a broker with Maximum QoS 0 and no retained messages gets neither, and nothing is lost', () =>
  withServer(
    { properties: { maximumQoS: 0, retainAvailable: false } },
    {},
    async ({ server, sink, seen }) => {
      const messages = numbered(20, { retain: true, contentType: 'text/plain', properties: [['k', 'v']] });
      await writeAll(sink, seen, messages); // encoded before the broker has answered
      await seen.settled(20);
      await writeAll(sink, seen, messages);
      await server.until(() => server.published.length === 40);
      assert.ok(server.published.every(packet => packet.qos === 0 && !packet.retain));
      assert.ok(server.published.every(packet => packet.properties?.contentType === 'text/plain'));
      assert.deepEqual(
        server.payloads.slice(0, 20),
        messages.map(message => message.payload),
      );
    },
  ));

test('a broker that refuses 5.0 gets in 3.1.1 what was encoded for 5.0', () =>
  withServer({ connack: 0x84 }, {}, async ({ server, sink, seen }) => {
    server.behaviour.onConnect = () => {
      server.behaviour.connack = 0;
    };
    const messages = numbered(50, { contentType: 'text/plain', properties: [['k', 'v']] });
    await writeAll(sink, seen, messages);
    await seen.settled(50);
    assert.deepEqual(
      server.connects.map(packet => packet.protocolVersion),
      [5, 4],
    );
    assert.deepEqual(
      server.payloads,
      messages.map(message => message.payload),
    );
    assert.deepEqual(
      seen.faults.map(fault => fault.code),
      ['SLUICE_SINK_VERSION'],
    );
  }));

test('messages that cannot be published are dropped with a code and the topic escaped', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, [
      { topic: 'a/+' },
      { topic: '' },
      { topic: Buffer.from([0x61, 0xff, 0x0a]) },
      { topic: 'good', qos: 1 },
      { topic: 'p', qos: 1, properties: [['k', 'line\nfeed']] },
    ]);
    await seen.settled(5);
    assert.deepEqual(seen.codes, [...Array(3).fill('SLUICE_SINK_TOPIC'), 'SLUICE_SINK_PROPERTY']);
    assert.match(seen.faults[2]?.message ?? '', /"a\\xff\\x0a" of message \S+ is not UTF-8/);
    assert.deepEqual(
      server.published.map(packet => packet.topic),
      ['good'],
    );
  }));
