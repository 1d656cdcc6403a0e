import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberedMessage, withSource } from '../../support/mqtt/mqtt-source-rig.js';

test('many messages of one write become frames with topic, time and properties, and none is acknowledged before it is delivered', async () => {
  await withSource({}, {}, async ({ server, ingress, source, subscribed, payloads, acknowledged }) => {
    const connection = await subscribed();
    const before = Date.now();
    const ids = Array.from({ length: 500 }, (_, i) => i + 1);
    connection.socket.cork();
    for (const id of ids) {
      const properties = { contentType: 'text/plain', userProperties: { line: `l${id % 3}` } };
      connection.send(numberedMessage(id, { topic: `in/t${id % 7}`, retain: id % 5 === 0, properties }));
    }
    connection.socket.uncork();
    await ingress.until(() => ingress.frames.length === 500);
    assert.deepEqual(payloads(), ids.map(String));
    for (const [index, { topic, properties, timestampMs }] of ingress.frames.entries()) {
      const id = index + 1;
      assert.equal(topic, `in/t${id % 7}`);
      const stored = id % 5 === 0 ? [['mqtt-retain', 'true']] : [];
      assert.deepEqual(properties, [...stored, ['content-type', 'text/plain'], ['line', `l${id % 3}`]]);
      assert.ok(timestampMs >= before && timestampMs <= Date.now());
    }
    assert.deepEqual(acknowledged(), []);
    source.delivered(200);
    await server.until(() => acknowledged().length === 200);
    const { reads } = server;
    source.delivered(300);
    source.delivered(499);
    await server.until(() => acknowledged().length === 499);
    assert.deepEqual(acknowledged(), ids.slice(0, 499));
    assert.equal(server.reads, reads + 1, 'one write for all that one turn delivers');
  });
});

test('QoS 0 is handed over and never acknowledged, and QoS 1 between it keeps its place', async () => {
  await withSource({}, {}, async ({ server, ingress, source, subscribed, payloads, acknowledged }) => {
    const connection = await subscribed();
    for (const id of [1, 2, 3, 4]) {
      connection.send(numberedMessage(id, id % 2 === 0 ? { qos: 0 } : {}));
    }
    await ingress.until(() => ingress.frames.length === 4);
    assert.deepEqual(payloads(), ['1', '2', '3', '4']);
    source.delivered(2);
    await server.until(() => acknowledged().length === 1);
    source.delivered(4);
    await server.until(() => acknowledged().length === 2);
    assert.deepEqual(acknowledged(), [1, 3]);
  });
});

for (const version of [4, 5] as const) {
  test(`when there is no room nothing is read, and nothing is lost once there is (version ${version})`, async () => {
    await withSource({}, { version, window: 60_000 }, async ({ ingress, source, subscribed, payloads }) => {
      const connection = await subscribed();
      ingress.places = 10;
      const padding = 'x'.repeat(1_000);
      const count = 5_000;
      for (let id = 1; id <= count; id++) {
        connection.send(numberedMessage(id, { payload: `${id} ${padding}`, qos: id % 2 === 0 ? 1 : 0 }));
      }
      await ingress.until(() => ingress.refused === 1);
      while (ingress.frames.length < count) {
        const had = ingress.frames.length;
        ingress.places = 700;
        source.resume();
        await ingress.until(() => ingress.frames.length >= Math.min(count, had + 700));
      }
      assert.deepEqual(
        payloads().map(payload => Number(payload.split(' ')[0])),
        Array.from({ length: count }, (_, i) => i + 1),
      );
    });
  });
}

for (const version of [4, 5] as const) {
  test(`a broker that sends more than the window waits at the socket (version ${version})`, async () => {
    const config = { version, window: 8, clientId: 'c' };
    await withSource({}, config, async ({ server, ingress, source, subscribed, acknowledged }) => {
      const connection = await subscribed();
      assert.equal(server.connects[0]!.properties?.receiveMaximum, version === 5 ? 8 : undefined);
      for (let id = 1; id <= 20; id++) connection.send(numberedMessage(id));
      await ingress.until(() => ingress.frames.length === 8);
      for (const [delivered, taken] of [
        [3, 11],
        [11, 19],
        [19, 20],
      ] as const) {
        source.delivered(delivered);
        await ingress.until(() => ingress.frames.length > delivered + 7 || ingress.frames.length === 20);
        assert.equal(ingress.frames.length, taken);
      }
      source.delivered(20);
      await server.until(() => acknowledged().length === 20);
      assert.deepEqual(
        acknowledged(),
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      assert.deepEqual(ingress.faults, []);
    });
  });
}

test('what is in hand when the connection breaks is known when it comes again, and acknowledged once, in the order in which it came', async () => {
  await withSource(
    { sessions: true },
    { clientId: 'floor-1' },
    async ({ server, ingress, source, subscribed, payloads, acknowledged }) => {
      const first = await subscribed();
      for (const id of [1, 2, 3]) first.send(numberedMessage(id));
      await ingress.until(() => ingress.frames.length === 3);
      server.cut();
      await server.until(() => server.connects.length === 2);
      // Delivered while the connection was away: 1 and 2.
      source.delivered(2);
      const second = [...server.connections].at(-1)!;
      for (const id of [1, 2, 3]) second.send(numberedMessage(id, { dup: true }));
      second.send(numberedMessage(4));
      await ingress.until(() => ingress.frames.length === 4);
      assert.deepEqual(payloads(), ['1', '2', '3', '4']);
      source.delivered(4);
      await server.until(() => acknowledged().length === 4);
      assert.deepEqual(acknowledged(), [1, 2, 3, 4]);
      assert.equal(server.connects[1]!.clean, false);
      assert.equal(server.subscribes.length, 1, 'the session has the subscription');
    },
  );
});

test('an identifier in hand that comes with another message, or without DUP, is a new message', async () => {
  await withSource(
    { sessions: true },
    { clientId: 'floor-1' },
    async ({ server, ingress, subscribed, payloads }) => {
      const first = await subscribed();
      for (const id of [1, 2]) first.send(numberedMessage(id));
      await ingress.until(() => ingress.frames.length === 2);
      server.cut();
      await server.until(() => server.connects.length === 2);
      const second = [...server.connections].at(-1)!;
      second.send(numberedMessage(1, { dup: true, payload: 'other' }));
      second.send(numberedMessage(2));
      await ingress.until(() => ingress.frames.length === 4);
      assert.deepEqual(payloads(), ['1', '2', 'other', '2']);
    },
  );
});

test('a new session makes nothing of old identifiers, subscribes again, and says what that means', async () => {
  await withSource({}, { clientId: 'floor-1' }, async ({ server, ingress, subscribed, payloads }) => {
    const first = await subscribed();
    first.send(numberedMessage(1));
    await ingress.until(() => ingress.frames.length === 1);
    server.cut();
    await server.until(() => server.subscribes.length === 2);
    [...server.connections].at(-1)!.send(numberedMessage(1, { dup: true }));
    await ingress.until(() => ingress.frames.length === 2);
    assert.deepEqual(payloads(), ['1', '1']);
    assert.match(ingress.faultsOf('SLUICE_SOURCE_SESSION')[0]!, /has no session for floor-1 any more/);
  });
});

test('a message that a 3.1.1 broker repeats on a living connection is handed over once and acknowledged once', async () => {
  await withSource(
    {},
    { version: 4, clientId: 'c' },
    async ({ server, ingress, source, subscribed, payloads, acknowledged }) => {
      const connection = await subscribed();
      connection.send(numberedMessage(1));
      connection.send(numberedMessage(1, { dup: true }));
      connection.send(numberedMessage(2));
      await ingress.until(() => ingress.frames.length === 2);
      source.delivered(2);
      await server.until(() => acknowledged().length === 2);
      assert.deepEqual(
        [payloads(), acknowledged()],
        [
          ['1', '2'],
          [1, 2],
        ],
      );
    },
  );
});

test('after stop no frame is handed over, what is delivered is still acknowledged, and close says goodbye', async () => {
  await withSource({}, { clientId: 'c' }, async ({ server, ingress, source, subscribed, acknowledged }) => {
    const connection = await subscribed();
    for (const id of [1, 2]) connection.send(numberedMessage(id));
    await ingress.until(() => ingress.frames.length === 2);
    await source.stop();
    connection.send(numberedMessage(3));
    connection.send({ cmd: 'pingresp' });
    source.delivered(1);
    await server.until(() => acknowledged().length === 1);
    source.delivered(2);
    await source.close();
    await server.until(() => server.connections.size === 0);
    assert.deepEqual(acknowledged(), [1, 2]);
    assert.equal(ingress.frames.length, 2);
    assert.equal(server.disconnects, 1);
    assert.equal(source.state()[0]!.state, 'stopped');
  });
});

test('a source that waits for room can be stopped', async () => {
  await withSource({}, {}, async ({ server, ingress, source, subscribed }) => {
    const connection = await subscribed();
    ingress.places = 0;
    connection.send(numberedMessage(1));
    await ingress.until(() => ingress.refused === 1);
    await source.stop();
    await source.close();
    assert.equal(server.disconnects, 1);
    assert.deepEqual(ingress.frames, []);
  });
});
