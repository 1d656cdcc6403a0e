import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Feed } from '../../../host/route/feed.js';
import { MqttSource } from '../../../host/sources/mqtt/mqtt-source.js';
import { Metrics } from '../../../host/telemetry/metrics.js';
import { Reporter } from '../../../host/telemetry/reporter.js';
import { LogBook } from '../../support/gateway/gateway-rig.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';
import { QUICK } from '../../support/mqtt/mqtt-rig.js';
import { TestServer } from '../../support/mqtt/mqtt-server.js';
import { numberedMessage, withSource } from '../../support/mqtt/mqtt-source-rig.js';
import { RecordingIngress } from '../../support/sources/recording-ingress.js';

const STILL = { minMs: 60_000, maxMs: 60_000 } as const;

test('a message over the limit is refused, counted, said by its topic, and acknowledged in its turn', async () => {
  await withSource({}, { maxMessage: 1_000 }, async ({ server, ingress, source, subscribed, payloads }) => {
    const connection = await subscribed();
    connection.send(numberedMessage(1));
    connection.send(numberedMessage(2, { payload: Buffer.alloc(2_000), topic: 'in/large' }));
    connection.send(numberedMessage(3, { payload: Buffer.alloc(400_000), topic: 'in/larger' }));
    connection.send(numberedMessage(4));
    await ingress.until(() => ingress.frames.length === 2);
    assert.deepEqual(payloads(), ['1', '4']);
    assert.equal(ingress.skipsOf('SLUICE_FRAME_TOO_LARGE'), 2);
    const said = ingress.faultsOf('SLUICE_FRAME_TOO_LARGE');
    assert.match(said[0]!, /"in\/large" was left out: it has 2011 bytes; at most 1000/);
    assert.match(said[1]!, /"in\/larger" was left out: it has 4000\d\d bytes/);
    source.delivered(2);
    await server.until(() => server.acknowledged.length === 4);
    // 5.0 §3.4.2.1: quota exceeded.
    assert.deepEqual(server.acknowledged, [
      [1, 0],
      [2, 0x97],
      [3, 0x97],
      [4, 0],
    ]);
  });
});

test('a message that is refused while nothing is in hand is acknowledged at once', async () => {
  await withSource({}, { version: 4, maxMessage: 1_000, clientId: 'c' }, async ({ server, subscribed }) => {
    const connection = await subscribed();
    connection.send(numberedMessage(1, { payload: Buffer.alloc(2_000) }));
    await server.until(() => server.acknowledged.length === 1);
    assert.deepEqual(server.acknowledged, [[1, 0]]);
  });
});

test('a topic or property that is no text is refused and acknowledged, and the connection goes on', async () => {
  await withSource({}, {}, async ({ server, ingress, source, subscribed, payloads }) => {
    const connection = await subscribed();
    const publish = (topic: number[], properties: number[], id: number): void =>
      connection.raw([
        0x32,
        topic.length + properties.length + 6,
        0,
        topic.length,
        ...topic,
        0,
        id,
        properties.length,
        ...properties,
        0x61,
      ] as never);
    const raw = connection.raw;
    connection.raw = bytes => raw(Buffer.from(bytes));
    publish([0x61, 0xff], [], 1);
    publish([0x61, 0x2b], [], 2);
    publish([0x61], [3, 0, 1, 0xff], 3);
    publish([0x61], [38, 0, 1, 0x62, 0, 2, 0xc3, 0x28], 4);
    publish([0x61, 0x0a], [38, 0, 1, 0x62, 0, 1, 0x0a], 5);
    await ingress.until(() => ingress.frames.length === 1);
    assert.deepEqual(payloads(), ['a']);
    assert.deepEqual(ingress.frames[0]!.properties, [['b', '\n']]);
    assert.equal(ingress.skipsOf('SLUICE_SOURCE_MESSAGE'), 4);
    assert.match(
      ingress.faultsOf('SLUICE_SOURCE_MESSAGE')[0]!,
      /"a\\xff" was left out: its topic is not UTF-8/,
    );
    assert.match(ingress.faultsOf('SLUICE_SOURCE_MESSAGE')[1]!, /its topic holds a wildcard/);
    source.delivered(1);
    await server.until(() => server.acknowledged.length === 5);
    assert.deepEqual(server.acknowledged, [
      [1, 0x90],
      [2, 0x90],
      [3, 0x99],
      [4, 0x99],
      [5, 0],
    ]);
  });
});

const NONSENSE: readonly (readonly [what: string, bytes: number[], words: RegExp])[] = [
  ['a property that may not be there', [0x30, 6, 0, 1, 97, 2, 17, 0], /cut short or do not belong/],
  ['a topic alias', [0x30, 7, 0, 1, 97, 3, 35, 0, 1], /topic alias, which was not offered/],
  ['a huge remaining length', [0x30, 0xff, 0xff, 0xff, 0xff, 0x01], /remaining length/],
  ['a reserved packet', [0x00, 0], /reserved type 0/],
  ['a SUBACK that nobody waits for', [0x90, 4, 0, 1, 0, 1], /answers no SUBSCRIBE/],
];

for (const [what, bytes, words] of NONSENSE) {
  test(`${what} ends the connection with a code, and the source comes back`, async () => {
    await withSource({}, {}, async ({ server, ingress, subscribed, payloads }) => {
      const connection = await subscribed();
      connection.raw(Buffer.from(bytes));
      await server.until(() => server.subscribes.length === 2);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0]!, words);
      [...server.connections].at(-1)!.send(numberedMessage(1));
      await ingress.until(() => ingress.frames.length === 1);
      assert.deepEqual(payloads(), ['1']);
    });
  });
}

test('a broker that closes in the middle of a packet is named, and the message comes whole afterwards', async () => {
  await withSource(
    { sessions: true },
    { clientId: 'c' },
    async ({ server, ingress, subscribed, payloads }) => {
      const connection = await subscribed();
      connection.raw(Buffer.from([0x32, 200, 1, 0, 4, 0x69]));
      connection.socket.end();
      await server.until(() => server.connects.length === 2);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0]!, /in the middle of a packet/);
      [...server.connections].at(-1)!.send(numberedMessage(1));
      await ingress.until(() => ingress.frames.length === 1);
      assert.deepEqual(payloads(), ['1']);
    },
  );
});

test('topics that are refused are named with the reason, and the others serve', async () => {
  const suback = (): number[] => [1, 0x87, 0];
  await withSource({ suback }, { topics: ['a/#', 'b/#', 'c/#'] }, async ({ ingress, source, subscribed }) => {
    const connection = await subscribed();
    connection.send(numberedMessage(1, { topic: 'a/x' }));
    await ingress.until(() => ingress.frames.length === 1);
    assert.match(
      ingress.faultsOf('SLUICE_SOURCE_REFUSED')[0]!,
      /refused the subscription to "b\/#": not authorized \(0x87\)/,
    );
    assert.match(ingress.faultsOf('SLUICE_SOURCE_QOS')[0]!, /grants QoS 0 for "c\/#" where 1 was asked for/);
    assert.equal(source.state()[0]!.fault?.code, 'SLUICE_SOURCE_REFUSED');
  });
});

test('an unknown code in SUBACK is a refusal from 0x80 on, and breaks the protocol below', async () => {
  await withSource(
    { suback: () => [0xfe, 1] },
    { topics: ['a/#', 'b/#'] },
    async ({ ingress, subscribed }) => {
      await subscribed();
      await ingress.until(() => ingress.faults.length > 0);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_REFUSED')[0]!, /"a\/#": unknown reason code \(0xfe\)/);
    },
  );
  await withSource({ suback: () => [0x10] }, { topics: ['a/#'], reconnect: STILL }, async ({ ingress }) => {
    await ingress.until(() => ingress.faults.length > 0);
    assert.match(ingress.faultsOf('SLUICE_SOURCE_PROTOCOL')[0]!, /grants QoS 16 where 1 was asked for/);
  });
});

test('a connection that is refused for a reason that nobody knows is told so', async () => {
  await withSource({ connack: 0xfe }, { reconnect: STILL }, async ({ ingress }) => {
    await ingress.until(() => ingress.faults.length === 1);
    assert.match(ingress.faultsOf('SLUICE_SOURCE_REFUSED')[0]!, /unknown reason code \(0xfe\)/);
  });
});

test('a broker that refuses every topic is asked again after the longest pause', async () => {
  await withSource(
    { suback: () => [0x80] },
    { version: 4, clientId: 'c', reconnect: { minMs: 1, maxMs: 60_000 } },
    async ({ server, ingress, source }) => {
      await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_REFUSED').length === 2);
      assert.match(ingress.faults.at(-1)!.message, /refused every subscription/);
      assert.equal(source.state()[0]!.state, 'waiting');
      assert.equal(server.connects.length, 1);
    },
  );
});

test('a broker that never answers SUBSCRIBE is given up', async () => {
  await withSource(
    { suback: () => 'none' },
    { connectTimeoutMs: 300, reconnect: STILL },
    async ({ ingress }) => {
      await ingress.until(() => ingress.faults.length === 1);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_TIMEOUT')[0]!, /did not answer SUBSCRIBE within 300 ms/);
    },
  );
});

for (const [reason, words] of [
  [0x8e, /session taken over by another client with the same client id \(0x8e\)/],
  [0x70, /unknown reason code \(0x70\)/],
] as const) {
  test(`a DISCONNECT with reason ${reason} is told in words`, async () => {
    await withSource({}, { reconnect: STILL }, async ({ ingress, subscribed }) => {
      const connection = await subscribed();
      connection.raw(Buffer.from([0xe0, 1, reason]));
      await ingress.until(() => ingress.faults.length === 1);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')[0]!, words);
    });
  });
}

test('a connection that is refused is told with its reason', async () => {
  await withSource({ connack: 0x87 }, { reconnect: STILL }, async ({ ingress }) => {
    await ingress.until(() => ingress.faults.length === 1);
    assert.match(ingress.faultsOf('SLUICE_SOURCE_REFUSED')[0]!, /not authorized \(0x87\)/);
  });
});

test('3.1.1 without a client id at QoS 1 is said to keep no session', async () => {
  await withSource({}, { version: 4 }, async ({ server, ingress, subscribed }) => {
    await subscribed();
    assert.equal(server.connects[0]!.clean, true);
    assert.equal(ingress.faultsOf('SLUICE_SOURCE_SESSION').length, 1);
  });
});

test('a client id asks for the session from the first connection on, with its expiry', async () => {
  await withSource(
    {},
    { clientId: 'c', sessionExpiryS: 99, username: 'u', password: 'p' },
    async ({ server, subscribed }) => {
      await subscribed();
      const { clean, clientId, properties, username, password } = server.connects[0]!;
      assert.deepEqual([clean, clientId, username, String(password)], [false, 'c', 'u', 'p']);
      assert.equal(properties?.sessionExpiryInterval, 99);
      assert.equal(properties?.maximumPacketSize, undefined);
    },
  );
});

test('pings go on while there is no room, and the broker is not given up for answers that lie unread', async () => {
  await withSource({}, { keepAliveS: 1 }, async ({ server, ingress, source, subscribed }) => {
    const connection = await subscribed();
    ingress.places = 0;
    connection.send(numberedMessage(1));
    await ingress.until(() => ingress.refused === 1);
    await server.until(() => server.pings >= 4);
    assert.deepEqual(ingress.faults, []);
    ingress.places = 1;
    source.resume();
    await ingress.until(() => ingress.frames.length === 1);
  });
});

test('a broker that goes while there is no room is missed, also where it wants no keep-alive', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await withSource({ properties: { serverKeepAlive: 0 } }, { reconnect: STILL }, async rig => {
    const { server, ingress, source, subscribed } = rig;
    const connection = await subscribed();
    ingress.places = 0;
    connection.send(numberedMessage(1));
    await ingress.until(() => ingress.refused === 1);
    t.mock.timers.tick(30_000);
    await server.until(() => server.pings > 0);
    connection.socket.destroy();
    await server.until(() => server.connections.size === 0);
    // The first ping is answered by a reset, at the next it shows.
    for (let look = 0; look < 1000 && ingress.faults.length === 0; look++) {
      t.mock.timers.tick(15_000);
      await turn();
    }
    assert.match(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')[0]!, /failed: write E/);
    assert.equal(source.state()[0]!.state, 'waiting');
  });
});

test('TLS with a certificate of our own for both sides', async () => {
  const tls = selfSigned();
  const server = await TestServer.start({
    tls: { ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: true },
  });
  const ingress = new RecordingIngress();
  const config = {
    url: `mqtts://127.0.0.1:${server.port}`,
    topics: ['in/#'],
    tls: { ca: tls.cert, cert: tls.cert, key: tls.key, servername: 'localhost' },
    reconnect: QUICK,
  };
  const source = new MqttSource('floor', config, ingress);
  await source.start();
  await server.until(() => server.subscribes.length === 1);
  const connection = [...server.connections][0]!;
  ingress.places = 100;
  const count = 2_000;
  for (let i = 0; i < count; i++)
    connection.send(numberedMessage(1, { qos: 0, payload: `${i} ${'x'.repeat(200)}` }));
  await ingress.until(() => ingress.refused === 1);
  ingress.places = count;
  source.resume();
  await ingress.until(() => ingress.frames.length === count);
  assert.deepEqual(
    ingress.frames.map(({ bytes }) => Number(bytes.toString().split(' ')[0])),
    Array.from({ length: count }, (_, i) => i),
  );
  await source.stop();
  await source.close();
  await server.stop();
});

test('while messages are not confirmed the silence of the broker is not held against it', async () => {
  await withSource({}, {}, async ({ server, ingress, source, subscribed }) => {
    const connection = await subscribed();
    assert.equal(source.isHeldUp, false);
    connection.send(numberedMessage(1));
    await ingress.until(() => ingress.frames.length === 1);
    const feed = new Feed('floor', new Metrics().source('floor'), new Reporter(new LogBook().log));
    feed.source = source;
    assert.deepEqual([source.isHeldUp, feed.isHeldUp], [true, true]);
    source.delivered(1);
    await server.until(() => server.acknowledged.length === 1);
    assert.deepEqual([source.isHeldUp, feed.isHeldUp], [false, false]);
  });
});
