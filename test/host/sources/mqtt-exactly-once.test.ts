import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberedMessage, withSource } from '../../support/mqtt/mqtt-source-rig.js';

for (const version of [4, 5] as const) {
  test(`at QoS 2 the PUBREC waits for the delivery, and each PUBREL gets its PUBCOMP (version ${version})`, async () => {
    const config = { version, qos: 2, clientId: 'c' } as const;
    await withSource({}, config, async ({ server, ingress, source, subscribed, payloads }) => {
      const connection = await subscribed();
      assert.equal(server.subscribes[0]!.subscriptions[0]!.qos, 2);
      for (let id = 1; id <= 6; id++) connection.send(numberedMessage(id, { qos: id % 3 === 0 ? 1 : 2 }));
      await ingress.until(() => ingress.frames.length === 6);
      assert.deepEqual(server.recorded, []);
      source.delivered(4);
      await server.until(() => server.completed.length === 3);
      source.delivered(6);
      await server.until(() => server.completed.length === 4 && server.acknowledged.length === 2);
      const ids = [1, 2, 4, 5].map(id => [id, 0]);
      assert.deepEqual([server.recorded, server.completed], [ids, ids]);
      assert.deepEqual(
        server.acknowledged.map(([id]) => id),
        [3, 6],
      );
      assert.deepEqual(payloads(), ['1', '2', '3', '4', '5', '6']);
      assert.deepEqual(ingress.faults, []);
    });
  });
}

test('at QoS 2 nothing comes twice wherever the connection breaks: before the PUBREC, after it, and after the PUBREL', async () => {
  const config = { qos: 2, clientId: 'floor-1' } as const;
  await withSource(
    { sessions: true, pubrel: false },
    config,
    async ({ server, ingress, source, subscribed, payloads }) => {
      const first = await subscribed();
      for (const id of [1, 2, 3]) first.send(numberedMessage(id, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 3);
      source.delivered(2);
      await server.until(() => server.recorded.length === 2);
      first.send({ cmd: 'pubrel', messageId: 1 });
      await server.until(() => server.completed.length === 1);
      server.cut();
      await server.until(() => server.connects.length === 2);
      const second = [...server.connections].at(-1)!;
      // Of 1 the PUBCOMP was lost, of 2 the PUBREC, of 3 nothing had been said.
      second.send({ cmd: 'pubrel', messageId: 1 });
      for (const id of [2, 3]) second.send(numberedMessage(id, { qos: 2, dup: true }));
      second.send(numberedMessage(4, { qos: 2 }));
      await server.until(() => server.recorded.length === 3);
      source.delivered(4);
      await server.until(() => server.recorded.length === 5);
      assert.deepEqual(server.recorded.slice(2), [
        [2, 0],
        [3, 0],
        [4, 0],
      ]);
      for (const messageId of [2, 3, 4]) second.send({ cmd: 'pubrel', messageId });
      await server.until(() => server.completed.length === 5);
      assert.deepEqual(server.completed, [
        [1, 0],
        [1, 0x92],
        [2, 0],
        [3, 0],
        [4, 0],
      ]);
      assert.deepEqual(payloads(), ['1', '2', '3', '4']);
      // Given away: the identifier may name another message now, and the same payload is one.
      second.send(numberedMessage(2, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 5);
    },
  );
});

test('at QoS 2 a message that comes again before its PUBREL gets another PUBREC and is not taken, with DUP or without', async () => {
  const config = { version: 4, qos: 2, clientId: 'c' } as const;
  await withSource({ pubrel: false }, config, async ({ server, ingress, source, subscribed, payloads }) => {
    const connection = await subscribed();
    connection.send(numberedMessage(1, { qos: 2 }));
    await ingress.until(() => ingress.frames.length === 1);
    source.delivered(1);
    await server.until(() => server.recorded.length === 1);
    connection.send(numberedMessage(1, { qos: 2, dup: true }));
    connection.send(numberedMessage(1, { qos: 2 }));
    await server.until(() => server.recorded.length === 3);
    assert.deepEqual(payloads(), ['1']);
    // What is not what it was cannot be the same: a broker that came back from an old copy of its state.
    connection.send(numberedMessage(1, { qos: 2, payload: 'other' }));
    await ingress.until(() => ingress.frames.length === 2);
  });
});

test('at QoS 2 a message that is refused is so with its reason, and its identifier is free at once', async () => {
  await withSource(
    {},
    { qos: 2, maxMessage: 100, clientId: 'c' },
    async ({ server, ingress, subscribed }) => {
      const connection = await subscribed();
      connection.send(numberedMessage(1, { qos: 2, payload: 'x'.repeat(200) }));
      await server.until(() => server.recorded.length === 1);
      assert.deepEqual(server.recorded, [[1, 0x97]]);
      assert.equal(ingress.skipsOf('SLUICE_FRAME_TOO_LARGE'), 1);
      connection.send(numberedMessage(1, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 1);
    },
  );
});

test('at QoS 2 a new session makes nothing of what the old one knew', async () => {
  await withSource(
    { pubrel: false },
    { qos: 2, clientId: 'c' },
    async ({ server, ingress, source, subscribed }) => {
      const first = await subscribed();
      first.send(numberedMessage(1, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 1);
      source.delivered(1);
      await server.until(() => server.recorded.length === 1);
      server.cut();
      await server.until(() => server.subscribes.length === 2);
      [...server.connections].at(-1)!.send(numberedMessage(1, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 2);
    },
  );
});

test('a broker that sends more at QoS 2 than the window waits at the socket, and goes on as PUBRECs go out', async () => {
  await withSource(
    {},
    { qos: 2, window: 4, clientId: 'c' },
    async ({ server, ingress, source, subscribed }) => {
      const connection = await subscribed();
      assert.equal(server.connects[0]!.properties?.receiveMaximum, 4);
      for (let id = 1; id <= 10; id++) connection.send(numberedMessage(id, { qos: 2 }));
      await ingress.until(() => ingress.frames.length === 4);
      for (let done = 1; done <= 10; done++) {
        source.delivered(done);
        await ingress.until(() => ingress.frames.length >= Math.min(10, done + 4));
        assert.equal(ingress.frames.length, Math.min(10, done + 4));
      }
      await server.until(() => server.completed.length === 10);
    },
  );
});

for (const [qos, clientId] of [
  [0, undefined],
  [1, 'c'],
] as const) {
  test(`what comes at QoS 2 where ${qos} was asked for, as retained or of a kept session, is taken and given away`, async () => {
    await withSource({}, { qos, clientId }, async ({ server, ingress, source, subscribed }) => {
      const connection = await subscribed();
      connection.send({ cmd: 'pubrel', messageId: 7 });
      connection.send(numberedMessage(8, { qos: 2 }));
      await ingress.until(() => ingress.frames.length + ingress.faults.length > 0);
      assert.deepEqual(ingress.faults, []);
      source.delivered(1);
      await server.until(() => server.completed.length === 2);
      assert.deepEqual(
        server.completed.map(([id]) => id),
        [7, 8],
      );
    });
  });
}
