import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { MqttSink } from '../../../host/sinks/mqtt/mqtt-sink.js';
import type { ErrorCode } from '../../../runtime/index.js';
import { selfSigned } from '../../support/mqtt/mqtt-certificate.js';
import { NOW, numbered, numberedId, Recorder, writeAll } from '../../support/mqtt/mqtt-recorder.js';
import { QUICK, withServer } from '../../support/mqtt/mqtt-rig.js';
import { type Connection, TestServer } from '../../support/mqtt/mqtt-server.js';
import { TestView } from '../../support/mqtt/mqtt-view.js';

interface Misdeed {
  readonly what: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly act: (connection: Connection) => void;
}

const raw =
  (...bytes: number[]) =>
  (connection: Connection) =>
    connection.raw(Buffer.from(bytes));

const MISDEEDS: readonly Misdeed[] = [
  {
    what: 'sends garbage',
    code: 'SLUICE_SINK_PROTOCOL',
    message: /not MQTT/,
    act: raw(0x00, 0xff, 0x13, 0x37),
  },
  {
    what: 'announces a packet of 256 MiB',
    code: 'SLUICE_SINK_PROTOCOL',
    message: /268435460 bytes/,
    act: raw(0x40, 0xff, 0xff, 0xff, 0x7f),
  },
  {
    what: 'sends a remaining length without end',
    code: 'SLUICE_SINK_PROTOCOL',
    message: /remaining length/,
    act: raw(0x40, 0xff, 0xff, 0xff, 0xff, 0x01),
  },
  { what: 'sends PUBREC', code: 'SLUICE_SINK_PROTOCOL', message: /PUBREC/, act: raw(0x50, 2, 0, 1) },
  { what: 'sends PUBCOMP', code: 'SLUICE_SINK_PROTOCOL', message: /PUBCOMP/, act: raw(0x70, 2, 0, 1) },
  {
    what: 'sends a second CONNACK',
    code: 'SLUICE_SINK_PROTOCOL',
    message: /second CONNACK/,
    act: raw(0x20, 3, 0, 0, 0),
  },
  {
    what: 'closes in the middle of a packet',
    code: 'SLUICE_SINK_PROTOCOL',
    message: /middle of a packet/,
    act: ({ socket }) => socket.end(Buffer.from([0x40, 4, 0])),
  },
  {
    what: 'gives the session to another',
    code: 'SLUICE_SINK_DISCONNECTED',
    message: /taken over.*0x8e/,
    act: connection => connection.send({ cmd: 'disconnect', reasonCode: 0x8e }),
  },
  {
    what: 'disconnects with an unknown reason',
    code: 'SLUICE_SINK_DISCONNECTED',
    message: /unknown reason code \(0xfe\)/,
    act: raw(0xe0, 1, 0xfe),
  },
  {
    what: 'closes without a word',
    code: 'SLUICE_SINK_DISCONNECTED',
    message: /closed the connection\./,
    act: ({ socket }) => socket.end(),
  },
];

for (const { what, code, message, act } of MISDEEDS) {
  test(`a broker that ${what} is left with a code, and everything arrives after it has recovered`, () =>
    withServer({ puback: () => 'none' }, {}, async ({ server, sink, seen }) => {
      server.behaviour.onPublish = (_packet, connection) => {
        server.behaviour.onPublish = () => {};
        server.behaviour.onConnect = () => {
          server.behaviour.puback = () => 0;
        };
        act(connection);
      };
      await writeAll(sink, seen, numbered(10));
      await seen.settled(10);
      assert.equal(seen.confirmed, 10);
      assert.equal(seen.faults[0]?.code, code);
      assert.match(seen.faults[0].message, message);
      assert.ok(new Set(server.payloads).size === 10);
      assert.equal(sink.state().state, 'connected');
      assert.equal(sink.state().fault, undefined);
    }));
}

test('a PUBACK for what was never sent is reported and changes nothing', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    server.behaviour.onConnect = (_packet, connection) =>
      connection.send({ cmd: 'puback', messageId: 9, reasonCode: 0 });
    await seen.faulted('SLUICE_SINK_PROTOCOL');
    await writeAll(sink, seen, numbered(20));
    await seen.settled(20);
    assert.equal(seen.confirmed, 20);
    assert.equal(server.connects.length, 1);
  }));

test('a PUBACK that comes twice is reported and settles nothing else', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    server.behaviour.onPublish = ({ messageId }, connection) => {
      if (messageId === 1) connection.send({ cmd: 'puback', messageId, reasonCode: 0 });
    };
    await writeAll(sink, seen, numbered(20));
    await seen.settled(20);
    assert.equal(seen.confirmed, 20);
    await seen.faulted('SLUICE_SINK_PROTOCOL');
  }));

test('bad credentials are shown in the state and tried again, and nothing is lost', () =>
  withServer({ connack: 0x86 }, { username: 'u', password: 'secret' }, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(5));
    await server.until(() => server.connects.length === 3);
    await seen.until(() => sink.state().state === 'waiting');
    assert.equal(sink.state().fault?.code, 'SLUICE_SINK_REFUSED');
    assert.match(sink.state().fault!.message, /bad user name or password/);
    assert.ok(seen.faults.every(fault => !fault.message.includes('secret')));
    server.behaviour.connack = 0;
    await seen.settled(5);
    assert.equal(seen.confirmed, 5);
  }));

test('a refusal in 3.1.1 is named by its return code', () =>
  withServer({ connack: 5 }, { version: 4 }, async ({ seen }) => {
    await seen.faulted('SLUICE_SINK_REFUSED');
    assert.match(seen.faults[0]!.message, /not authorized \(0x05\)/);
  }));

test('a refusal with a reason that nobody knows is named as such, and tried again', () =>
  withServer({ connack: 0xfe }, {}, async ({ server, seen }) => {
    await seen.faulted('SLUICE_SINK_REFUSED');
    assert.match(seen.faults[0]!.message, /unknown reason code \(0xfe\)/);
    await server.until(() => server.connects.length >= 2);
  }));

test('after a breach of the protocol the session is begun anew', () =>
  withServer({ sessions: true, puback: () => 'none' }, { clientId: 'me' }, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(1));
    await server.until(() => server.published.length === 1);
    server.cut();
    await server.until(() => server.published.length === 2);
    for (const connection of server.connections) raw(0x50, 2, 0, 1)(connection);
    await server.until(() => server.published.length === 3);
    assert.deepEqual(
      server.connects.map(packet => packet.clean),
      [true, false, true],
    );
  }));

test('a broker that stops reading and then hangs up, time and again, costs neither messages nor memory', () => {
  // Far more than the buffers of the system hold, so that writes are cut off in the middle; and exactly what
  // the window holds (5.0: 12 bytes of frame), so that nothing may stay behind in it.
  const messages = numbered(40, { payload: Buffer.alloc(300_000, 'x') });
  const window = { bytes: 40 * 300_012 };
  return withServer({}, { window, version: 4 }, async ({ server, sink, seen }) => {
    let silent = false;
    server.behaviour.puback = () => (silent ? 'none' : 0);
    server.behaviour.onConnect = () => {
      silent = false;
    };
    const view = new TestView(messages);
    for (let round = 1; round <= 3; round++) {
      await seen.until(() => sink.state().state === 'connected' || round === 1);
      server.behaviour.onPublish = (_packet, { socket }) => {
        server.behaviour.onPublish = () => {};
        silent = true;
        socket.pause();
        setImmediate(() => socket.end());
      };
      for (let i = 0; i < view.count; i++)
        assert.ok(sink.write(view.at(i), seen, numberedId(1)), `${i} of round ${round}`);
      sink.flush();
      await seen.settled(round * messages.length);
      assert.equal(server.connects.length, 1 + round);
    }
    assert.equal(seen.lost, 0);
  });
});

test('a session that was not asked for is a breach of the protocol', () => {
  const onConnect = (_packet: unknown, connection: Connection): void => raw(0x20, 3, 1, 0, 0)(connection);
  return withServer({ mute: true, onConnect }, { version: 5 }, async ({ server, seen }) => {
    await seen.faulted('SLUICE_SINK_PROTOCOL');
    assert.match(seen.faults[0]!.message, /session/);
    await server.until(() => server.connects.length >= 2);
    assert.ok(server.connects.every(packet => packet.clean));
  });
});

test('a broker that does not answer CONNECT is given up after the time-out', () =>
  withServer({ mute: true }, { connectTimeoutMs: 100 }, async ({ server, seen }) => {
    await server.until(() => server.connects.length === 2);
    assert.equal(seen.faults[0]?.code, 'SLUICE_SINK_DISCONNECTED');
    assert.match(seen.faults[0].message, /did not answer in time/);
  }));

test('a broker that is connected and confirms nothing is connected to anew, and everything arrives', () =>
  withServer({}, { confirmTimeoutMs: 300 }, async ({ server, sink, seen }) => {
    server.behaviour.puback = () => (server.connects.length === 1 ? 'none' : 0);
    await writeAll(sink, seen, numbered(10));
    await seen.settled(10);
    assert.equal(seen.confirmed, 10);
    assert.equal(seen.faults[0]?.code, 'SLUICE_SINK_UNCONFIRMED');
    assert.match(seen.faults[0].message, /confirmed none of the 10 messages .* for 0\.\d+ s/);
    assert.equal(server.connects.length, 2);
  }));

test('a message that a broker never confirms, though all others, is sent again on another connection', () =>
  withServer({}, { confirmTimeoutMs: 300 }, async ({ server, sink, seen }) => {
    server.behaviour.puback = ({ messageId }) =>
      messageId === 1 && server.connects.length === 1 ? 'none' : 0;
    await writeAll(sink, seen, numbered(10));
    await seen.settled(10);
    assert.deepEqual([seen.confirmed, server.connects.length, server.payloads.length], [10, 2, 11]);
  }));

test('a broker that has not read what it was sent gets it once, though that takes longer than it has to confirm', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await withServer({}, { confirmTimeoutMs: 4_000 }, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(1));
    await seen.settled(1);
    const [{ socket }] = [...server.connections] as [Connection];
    socket.pause();
    await writeAll(sink, seen, numbered(10));
    t.mock.timers.tick(12_000);
    assert.deepEqual(seen.faults, []);
    socket.resume();
    await seen.settled(11);
    await server.until(() => server.pings === 1);
    assert.deepEqual([server.connects.length, server.payloads.length, seen.faults.length], [1, 11, 0]);
  });
});

test('a connection without PINGRESP is given up after 1.5 times the keep-alive', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await withServer({ pingresp: false }, { keepAliveS: 20 }, async ({ server, sink, seen }) => {
    await writeAll(sink, seen, numbered(1));
    await seen.settled(1);
    t.mock.timers.tick(15_000);
    await server.until(() => server.pings === 1);
    t.mock.timers.tick(30_000);
    assert.equal(seen.faults.length, 0);
    t.mock.timers.tick(5_000);
    await server.until(() => server.connects.length === 2);
    assert.match(seen.faults[0]!.message, /did not answer a PINGREQ/);
  });
});

test("the broker's own keep-alive counts, and PINGRESP keeps the connection", async t => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await withServer(
    { properties: { serverKeepAlive: 4 } },
    { keepAliveS: 600 },
    async ({ server, sink, seen }) => {
      await writeAll(sink, seen, numbered(1));
      await seen.settled(1);
      for (let pings = 1; pings <= 5; pings++) {
        await server.until(() => {
          t.mock.timers.tick(0);
          return true;
        });
        while (server.pings < pings) {
          t.mock.timers.tick(1_000);
          await new Promise(setImmediate);
        }
      }
      assert.equal(server.connects.length, 1);
    },
  );
});

test('a will, a user name and the keep-alive are in CONNECT', () => {
  const will = { topic: 'gone', payload: 'x', qos: 1, retain: true } as const;
  return withServer(
    {},
    { will, username: 'u', password: 'p', keepAliveS: 7, clientId: 'me' },
    async ({ server }) => {
      await server.until(() => server.connects.length === 1);
      const [packet] = server.connects;
      assert.equal(packet?.will?.topic, 'gone');
      assert.equal(packet?.username, 'u');
      assert.equal(packet?.keepalive, 7);
      assert.equal(packet?.clientId, 'me');
    },
  );
});

test('over TLS the messages arrive, and a certificate that nobody vouches for is refused', async () => {
  const identity = selfSigned();
  const server = await TestServer.start({ tls: identity });
  const url = `mqtts://localhost:${server.port}`;
  const [trusted, wary] = [new Recorder(), new Recorder()];
  const sink = new MqttSink('plant', { url, reconnect: QUICK, tls: { ca: identity.cert } }, trusted);
  const doubting = new MqttSink('plant', { url, reconnect: QUICK }, wary);
  await sink.start();
  await writeAll(sink, trusted, numbered(2_000));
  await trusted.settled(2_000);
  assert.equal(trusted.confirmed, 2_000);
  const before = server.connects.length;
  await doubting.start();
  await wary.faulted('SLUICE_SINK_DISCONNECTED');
  assert.match(wary.faults[0]!.message, /self-signed certificate/);
  assert.equal(server.connects.length, before);
  await doubting.stop(NOW);
  await sink.stop(NOW);
  await server.stop();
});

for (const [what, answer] of [
  ['closes at the first byte of TLS', (socket: Socket) => socket.end()],
  ['answers TLS with a text', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request')],
] as const)
  test(`who ${what} is told to be a port without TLS`, async () => {
    const plain = createServer(socket => socket.on('error', () => {}).once('data', () => answer(socket)));
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const { port } = plain.address() as AddressInfo;
    const seen = new Recorder();
    const sink = new MqttSink('plant', { url: `mqtts://127.0.0.1:${port}`, reconnect: QUICK }, seen);
    await sink.start();
    await seen.faulted('SLUICE_SINK_DISCONNECTED');
    assert.match(seen.faults[0]!.message, /no TLS handshake.*is it mqtt:\/\/ instead of mqtts:\/\/\?/);
    await sink.stop(NOW);
    plain.close();
  });

test('a URL, a prefix or a will that cannot work is refused when the sink is made', () => {
  const make = (config: object) => () =>
    new MqttSink('plant', { url: 'mqtt://h', ...config }, new Recorder());
  const refused = (message: RegExp) => ({ code: 'SLUICE_CONFIG_INVALID', message });
  assert.throws(make({ url: 'http://h' }), refused(/sinks\.plant\.mqtt\.url/));
  assert.throws(make({ url: 'nonsense' }), refused(/url/));
  assert.throws(make({ prefix: 'a/#' }), refused(/prefix holds a wildcard/));
  assert.throws(
    make({ will: { topic: '', payload: '', qos: 0, retain: false } }),
    refused(/will\.topic is empty/),
  );
  assert.throws(make({ password: 'x', version: 4 }), refused(/user name/));
});
